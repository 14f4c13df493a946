"""Checking a receipt without asking anybody."""

from __future__ import annotations

from zkmargin.attestation.documents import ReceiptDocument
from zkmargin.attestation.typed_data import SigningDomain
from zkmargin.margin.errors import InputError


def check_receipt(
    receipt: ReceiptDocument, signer: str, domain: SigningDomain | None = None, where: str = "receipt"
) -> None:
    """Check that a receipt is a service's. Raises InputError naming what is not as it should be.

    Args:
        receipt: as it came.
        signer: address of the service's key, from where you trust it.
        domain: chain and contract; None takes those that the receipt names.
        where: for the message.
    """
    if domain is not None and receipt.signing_domain != domain:
        raise InputError(where, "chain_id", receipt.chain_id, "it was signed for another chain or contract")
    if receipt.signer != signer:
        raise InputError(where, "signer", receipt.signer, f"it is not from {signer}")
    receipt.check_signature(where)
