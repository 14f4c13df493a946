"""How it is checked: the argument alone and in batches. Verification raises; it never returns a verdict."""

from zkmargin.verifier.batch import BatchError, verify_batch
from zkmargin.verifier.errors import VerificationError
from zkmargin.verifier.verify import verify, verify_bytes

__all__ = ["BatchError", "VerificationError", "verify", "verify_batch", "verify_bytes"]
