"""Entries of a market that cannot be used: left out, each with its reason, or refused at once where that is asked for.

A snapshot carries the names and reasons, so that a position in what was left out is answered with the reason.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from zkmargin.margin.errors import InputError, printable
from zkmargin.margin.files.notes import note

LONGEST_NAME, LONGEST_REASON, MOST = 64, 240, 4096
"""Characters of a name and of a reason in a snapshot, and how many of them it holds."""
_SHOWN = 3


class LeftOut:
    """What a reader of one source leaves out.

    Attributes:
        source: what is read.
        reasons: why, by the name of the entry.
        first: the first error, to be raised where nothing is left.
    """

    def __init__(self, source: str, *paths: Path, strict: bool = False) -> None:
        """Begin with nothing left out.

        Args:
            source: what notes are about, such as the name of a file.
            paths: the files that are read; reasons name them without their directories.
            strict: whether the first entry that cannot be used is refused.
        """
        self.source = source
        self._directories = sorted({f"{path.parent}/" for path in paths}, key=len, reverse=True)
        self.reasons: dict[str, str] = {}
        self.first: InputError | None = None
        self._strict = strict

    def add(self, name: str, error: InputError) -> None:
        """Leave an entry out because of an error; raises the error where that is asked for."""
        if self._strict:
            raise error
        self.first = self.first or error
        self.reasons.setdefault(printable(name)[:LONGEST_NAME], self._reason(error))

    @contextmanager
    def entry(self, name: str, where: str | None = None) -> Iterator[None]:
        """A block that reads one entry: an InputError in it leaves the entry out.

        Args:
            name: of the entry.
            where: its place, for an error that names the instrument alone.
        """
        try:
            yield
        except InputError as error:
            if where is not None and error.where.startswith("instrument "):
                error = InputError(where, error.field, error.value, error.remedy)
            self.add(name, error)

    def tell(self) -> None:
        """Note how many entries are left out, and the first of them."""
        if not self.reasons:
            return
        count = len(self.reasons)
        what = "1 instrument is left out" if count == 1 else f"{count} instruments are left out"
        shown = [f"{name} ({reason})" for name, reason in list(self.reasons.items())[:_SHOWN]]
        more = f"; and {', '.join(list(self.reasons)[_SHOWN:])}" if count > _SHOWN else ""
        note(self.source, f"{what}: {'; '.join(shown)}{more}")

    def document(self) -> Mapping[str, str]:
        """The first names and reasons, as many as a snapshot holds."""
        return dict(list(self.reasons.items())[:MOST])

    def _reason(self, error: InputError) -> str:
        """The message without directories, which are of no use to others and would change the snapshot's id."""
        text = str(error)
        for directory in self._directories:
            text = text.replace(directory, "")
        return text if len(text) <= LONGEST_REASON else text[: LONGEST_REASON - 3] + "..."
