"""Why a proof is not accepted."""


class VerificationError(ValueError):
    """A proof that does not show its statement.

    Attributes:
        check: the name of the check that failed.
    """

    def __init__(self, check: str, message: str) -> None:
        super().__init__(f"{check}: {message}")
        self.check = check
