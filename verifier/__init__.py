"""How it is checked: the argument alone and in batches. Verification raises; it never returns a verdict."""

from zkmargin.verifier.batch import BatchError, verify_batch
from zkmargin.verifier.document import commitment_term, verify_document
from zkmargin.verifier.errors import VerificationError
from zkmargin.verifier.verify import verify, verify_bytes

__all__ = [
    "BatchError",
    "VerificationError",
    "commitment_term",
    "verify",
    "verify_batch",
    "verify_bytes",
    "verify_document",
]
