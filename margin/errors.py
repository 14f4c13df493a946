"""The one error that wrong input raises."""


class InputError(ValueError):
    """Input that cannot be used.

    The message alone tells the whole story: the file (and line, where there is one), the field, the value
    that was found, and what to do about it.
    """

    def __init__(self, where: str, field: str, value: object, remedy: str) -> None:
        """`where` is a file, a file with a line, or the document's name; `remedy` is an instruction."""
        self.where = where
        self.field = field
        self.value = value
        self.remedy = remedy
        super().__init__(
            printable(f"{_cut(where, 1000)}: {_cut(field, 200)}: {_shown(value)}: {_cut(remedy, 1000)}")
        )

    def __reduce__(self) -> tuple[type["InputError"], tuple[str, str, object, str]]:
        """The arguments again, so that the error comes home from another process."""
        return type(self), (self.where, self.field, self.value, self.remedy)


class UnprovableError(InputError):
    """What keeps one model out of a snapshot that serves all others: numbers too large or too fine for it."""


class Finding(str):
    """What was found, said in words: shown as it is, where a value would be quoted."""

    __slots__ = ()


def printable(text: str) -> str:
    """One line that a terminal shows as it stands; what would steer it, or break the line, is written as an escape.

    A key or a name out of somebody else's file must not be able to clear the screen and write a verdict there.

    >>> printable("key \\x1b[2J")
    'key \\\\x1b[2J'
    """
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 3] + "..."


def _shown(value: object) -> str:
    """The value as found, in quotes if it is text, cut where it would fill the screen."""
    return _cut(repr(value) if type(value) is str else str(value), 80)
