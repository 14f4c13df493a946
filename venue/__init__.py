"""The venue or custodian: keeps a key, and attests to accounts of its own ledger, one or all of them."""

from zkmargin.venue.book import Book, BookDocument, attest_book
from zkmargin.venue.issue import Account, Attested, Moment, Venue, attest
from zkmargin.venue.register import Register

__all__ = [
    "Account",
    "Attested",
    "Book",
    "BookDocument",
    "Moment",
    "Register",
    "Venue",
    "attest",
    "attest_book",
]
