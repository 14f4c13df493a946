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
        super().__init__(f"{where}: {field}: {_shown(value)}: {remedy}")

    def __reduce__(self) -> tuple[type["InputError"], tuple[str, str, object, str]]:
        """The arguments again, so that the error comes home from another process."""
        return type(self), (self.where, self.field, self.value, self.remedy)


class Finding(str):
    """What was found, said in words: shown as it is, where a value would be quoted."""

    __slots__ = ()


def _shown(value: object) -> str:
    """The value as found, in quotes if it is text, cut where it would fill the screen."""
    text = repr(value) if type(value) is str else str(value)
    return text if len(text) <= 80 else text[:77] + "..."
