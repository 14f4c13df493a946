"""Why a proof is not accepted."""


class VerificationError(ValueError):
    """A proof that does not show its statement.

    Attributes:
        check: the name of the check that failed.
    """

    def __init__(self, check: str, message: str) -> None:
        super().__init__(f"{check}: {message}")
        self.check = check

    @property
    def code(self) -> str:
        """The check's name without spaces: stable, for programs."""
        return self.check.replace(" ", "-")


class PolicyError(VerificationError):
    """A submission that the verifier's policy does not admit, whatever its proof shows.

    Attributes:
        check: the rule that is not met, one of `RULES`.
    """

    def __init__(self, check: str, message: str) -> None:
        if check not in RULES:
            raise ValueError(f"{check} is not a rule")
        super().__init__(check, message)


RULES = {
    "setup": "the powers of tau are the verifier's",
    "audience": "the submission is for this verifier",
    "nonce": "the nonce is the one that was given out",
    "expiry": "the submission has not expired, and does not reach further ahead than the policy takes",
    "threshold": "the excess that is shown covers the amount and what must be covered already",
    "pledge-limit": "the amount is at most what the policy takes",
    "model": "model and level are accepted",
    "rows": "proofs use the committed rows that the verifier has of snapshot, model and level, or none",
    "parameters": "the snapshot's parameters are at least the policy's",
    "snapshot": "the snapshot is the one that the submission names",
    "snapshot-age": "the snapshot is not too old",
    "snapshot-future": "the snapshot is not from the future",
    "oracle-unknown": "a trusted oracle signed the snapshot",
    "oracle-signature": "the oracle's signature is canonical and over this snapshot",
    "signature": "an attestation's signature is canonical and its signer's",
    "chain": "attestations are for this chain",
    "contract": "attestations are for this verifying contract",
    "universe": "attestations are over the snapshot's universe",
    "domain": "commitments have as many slots as the universe says",
    "bound": "attested quantities are within the universe's bounds",
    "venue-unknown": "venues are trusted",
    "venue-key": "attestations are signed with a key of their venue",
    "contract-map": "a venue's ledger was read by one of its maps of contracts that the policy knows",
    "revoked": "no key that signed was revoked",
    "attestation-future": "attestations are not from the future",
    "attestation-expired": "attestations have not expired",
    "attestation-age": "attestations are not too old",
    "as-of-window": "attestations are of about one moment",
    "source": "holdings come from sources that the policy takes",
    "complete": "nothing of an account is left out, unless its source may count as collateral only",
    "source-age": "attestations are not older than the policy takes from their source",
    "evidence": "attestations name what they rest on where the policy asks that of their source",
    "collateral": "collateral is claimed of venues that attested to some",
    "open-orders": "open orders are reserved for",
    "account-repeated": "no account of a venue occurs twice",
    "commitment-repeated": "no commitment occurs twice",
    "sequence": "no newer attestation of an account is known",
    "too-many": "there are no more attestations than the policy takes",
    "venue-missing": "every required venue is there",
    "venue-proofs": "there is a proof for each venue exactly if the policy asks for them",
    "subject": "all attestations are of the subject that submits",
    "subject-signature": "the subject signed the statements, canonically",
    "hold": "every account's collateral is held for this audience until the expiry",
}
"""Every rule of a policy by its code, which never changes its meaning."""
