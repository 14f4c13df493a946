"""Where holdings come from when no venue's ledger says so: chain state, a custodian, an auditor with a read-only key.

Each source is a reader in front of the venue's issuer: what it reads is committed to and signed here, and nothing takes
a commitment that was made elsewhere.
"""

from zkmargin.evidence.issue import Issuer, attest_reading
from zkmargin.evidence.reading import Reader, Reading

__all__ = ["Issuer", "Reader", "Reading", "attest_reading"]
