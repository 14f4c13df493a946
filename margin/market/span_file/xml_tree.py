"""XML from strangers, read into a plain tree: no document type, no entities, nothing fetched, bounded depth."""

from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from xml.parsers.expat import ExpatError, ParserCreate

from zkmargin.margin.arithmetic.decimals import parse_decimal
from zkmargin.margin.errors import Finding, InputError
from zkmargin.margin.files.unpacking import read_unpacked

DEEPEST = 32
SUFFIXES = (".spn", ".xml")
"""What a file's name ends in within a zip archive."""


@dataclass
class Element:
    """An element with the place where it was read; attributes are of no use here and left out."""

    tag: str
    where: str
    line: int
    parts: list[str] = field(default_factory=list)
    children: list["Element"] = field(default_factory=list)

    @property
    def place(self) -> str:
        """File and line."""
        return f"{self.where}, line {self.line}"

    def all(self, *path: str) -> list["Element"]:
        """All elements at a path of tags below this one, in order."""
        found = [self]
        for tag in path:
            found = [child for element in found for child in element.children if child.tag == tag]
        return found

    def first(self, *path: str) -> "Element | None":
        """The first element at a path, or None."""
        found = self.all(*path)
        return found[0] if found else None

    def need(self, *path: str) -> "Element":
        """The first element at a path; InputError naming it if it is missing."""
        found = self.first(*path)
        if found is None:
            remedy = f"missing within {self.tag}; get the whole file from the clearing house"
            raise InputError(self.place, "/".join(path), Finding("no element"), remedy)
        return found

    @property
    def text(self) -> str:
        """The text, without white space around it."""
        return "".join(self.parts).strip()

    @property
    def value(self) -> Decimal:
        """The text as a number; InputError if it is none."""
        return parse_decimal(self.text, self.place, self.tag)

    def string(self, tag: str, default: str | None = None) -> str:
        """The text of a child; InputError if it is missing and there is no default."""
        found = self.need(tag) if default is None else self.first(tag)
        return default or "" if found is None else found.text

    def number(self, tag: str, default: Decimal | None = None) -> Decimal:
        """The number in a child; InputError if it is none, or missing without a default."""
        found = self.need(tag) if default is None else self.first(tag)
        if found is None:
            return default or Decimal(0)
        return found.value

    def fault(self, tag: str, remedy: str) -> InputError:
        """What to say of the value of a child."""
        found = self.first(tag)
        return InputError(self.place, tag, Finding("missing") if found is None else found.text, remedy)


class _Builder:
    """Expat's handlers; what could make a document more than its own bytes is refused."""

    def __init__(self, where: str) -> None:
        self.where = where
        self.parser = ParserCreate()
        self.root: Element | None = None
        self.open: list[Element] = []
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text
        self.parser.StartDoctypeDeclHandler = self._refuse
        self.parser.EntityDeclHandler = self._refuse
        self.parser.ExternalEntityRefHandler = self._refuse

    def _start(self, tag: str, _: dict[str, str]) -> None:
        if len(self.open) >= DEEPEST:
            remedy = f"elements lie more than {DEEPEST} deep; this is no SPAN file"
            raise InputError(f"{self.where}, line {self.parser.CurrentLineNumber}", "element", tag, remedy)
        element = Element(tag, self.where, self.parser.CurrentLineNumber)
        if self.open:
            self.open[-1].children.append(element)
        else:
            self.root = element
        self.open.append(element)

    def _end(self, _: str) -> None:
        self.open.pop()

    def _text(self, text: str) -> None:
        if self.open and not text.isspace():
            self.open[-1].parts.append(text)

    def _refuse(self, *_: object) -> int:
        where = f"{self.where}, line {self.parser.CurrentLineNumber}"
        remedy = "a SPAN file needs neither document type nor entities; remove them"
        raise InputError(where, "document", Finding("a document type or entity"), remedy)


def read_xml(path: Path) -> Element:
    """The root of an XML file, or of the one in a zip archive.

    Raises InputError if it cannot be read, is not well-formed, or declares a document type or entities.
    """
    where, content = read_unpacked(path, SUFFIXES)
    builder = _Builder(where)
    try:
        builder.parser.Parse(content, True)
    except ExpatError as error:
        raise InputError(
            f"{where}, line {error.lineno}", "document", Finding(error), "write well-formed XML"
        ) from None
    except (ValueError, LookupError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(where, "document", Finding(error), "save the file as UTF-8") from None
    if builder.root is None:
        raise InputError(where, "document", Finding("no element"), "write well-formed XML")
    return builder.root
