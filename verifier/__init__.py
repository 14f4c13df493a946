"""How it is checked: the argument alone and in batches, and submissions under a policy.

Verification raises; it never returns a verdict.
"""

from zkmargin.verifier.attestation_checks import AccountKey, Newest
from zkmargin.verifier.batch import BatchError, verify_batch
from zkmargin.verifier.document import commitment_term, verify_document
from zkmargin.verifier.errors import RULES, PolicyError, VerificationError
from zkmargin.verifier.policy import Policy
from zkmargin.verifier.submission import (
    Expected,
    PreparedSubmission,
    check_parameters,
    check_snapshot,
    prepare_submission,
    verify_submission,
)
from zkmargin.verifier.verify import verify, verify_bytes

__all__ = [
    "RULES",
    "AccountKey",
    "BatchError",
    "Expected",
    "Newest",
    "Policy",
    "PolicyError",
    "PreparedSubmission",
    "VerificationError",
    "check_parameters",
    "check_snapshot",
    "commitment_term",
    "prepare_submission",
    "verify",
    "verify_batch",
    "verify_bytes",
    "verify_document",
    "verify_submission",
]
