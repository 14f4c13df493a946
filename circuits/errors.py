"""What a relation refuses."""


class RelationError(ValueError):
    """The relation itself is malformed: it could wrap around in the field, or says nothing."""


class WitnessError(ValueError):
    """A witness breaks a row.

    Attributes:
        row: the row's name, in the words of margin.
        shortage: by how much the row is negative, in the row's unit; None where it fails in another way.
    """

    def __init__(self, message: str, row: str, shortage: int | None = None) -> None:
        super().__init__(message)
        self.row = row
        self.shortage = shortage
