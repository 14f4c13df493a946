"""An account of Derive with its market: instruments listed, quoted and sized, one book for each underlying."""

from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, field
from decimal import ROUND_HALF_EVEN, Decimal

from zkmargin.margin.arithmetic.decimals import canonical_decimal
from zkmargin.margin.instruments.instrument import CASH, Instrument
from zkmargin.margin.market.derive.options import OptionBook
from zkmargin.margin.market.derive.part import CONTEXT
from zkmargin.margin.market.derive.sizes import Held, Size, grain
from zkmargin.margin.market.inputs import Inputs, Quote, check_feeds, check_quote
from zkmargin.margin.market.quotes import Market


@dataclass(frozen=True)
class Coin:
    """A balance of a coin, with its price in USD and how sure the feed is of it."""

    amount: Decimal
    price: Decimal
    confidence: Decimal


@dataclass(frozen=True)
class Book:
    """All that is held of one underlying."""

    underlying: str
    spot: Coin
    """The balance of the underlying itself, at the spot price."""
    perpetuals: Coin
    """Perpetuals, at their own price; not listed if there are none."""
    options: OptionBook

    @property
    def perpetual(self) -> str:
        """The name of the perpetual."""
        return f"{self.underlying}-PERP"


@dataclass(frozen=True)
class Account:
    """Books, and what is held beside them."""

    books: Sequence[Book]
    cash: Decimal
    """With what perpetuals have gained."""
    cash_price: str
    """USD for one unit of cash, a canonical decimal."""
    collaterals: Mapping[str, Coin]
    source: str
    """Where the numbers come from, for people."""
    place: str
    """Where they stand, for messages."""


@dataclass
class _Listed:
    """Instruments with their quotes and quantities, in the order of their slots."""

    instruments: list[Instrument] = field(default_factory=list)
    quotes: list[Quote] = field(default_factory=list)
    quantities: dict[str, Decimal] = field(default_factory=dict)

    def add(self, instrument: Instrument, quote: Quote, quantity: Decimal) -> None:
        """Append one instrument; a quantity is rounded to a lot."""
        self.instruments.append(instrument)
        self.quotes.append(quote)
        self.quantities[instrument.name] = quantity.quantize(instrument.lot, ROUND_HALF_EVEN, CONTEXT)


def list_account(account: Account) -> tuple[Market, dict[str, Decimal]]:
    """The market of all that is listed, and quantities by instrument in multiples of a lot.

    Raises InputError naming what cannot be used.
    """
    coins = {book.underlying: book.spot for book in account.books} | dict(account.collaterals)
    swaps = [book for book in account.books if book.perpetuals.amount]
    listed, time = _listed(account, coins, swaps), account.books[0].options.time
    sure = coins | {book.perpetual: book.perpetuals for book in swaps}
    inputs = Inputs(
        source=account.source,
        indices={name: canonical_decimal(coin.price) for name, coin in coins.items()},
        terms=tuple(terms for book in account.books for terms in book.options.terms),
        quotes=tuple(listed.quotes),
        confidences={name: canonical_decimal(coin.confidence) for name, coin in sure.items()},
        cash_price=account.cash_price,
    )
    check_feeds(account.place, inputs, listed.instruments)
    for instrument, quote in zip(listed.instruments, listed.quotes, strict=True):
        place = f"{account.place}, instrument {instrument.name}"
        check_quote(place, instrument, quote, inputs.indices, time, terms=inputs.terms_of(instrument))
    return Market(time, tuple(listed.instruments), inputs), listed.quantities


def _listed(account: Account, coins: Mapping[str, Coin], swaps: Sequence[Book]) -> _Listed:
    """Cash, coins, perpetuals and options, each at a size that fits all of them."""
    held = {book.perpetual: Held.of([book.perpetuals.amount], book.perpetuals.price) for book in swaps}
    worth = sum((swap.value for swap in held.values()), Decimal(0))
    money = Held.of([abs(account.cash) + worth], None)
    balances = {name: Held.of([coin.amount], coin.price) for name, coin in coins.items()}
    kinds = [book.options.held for book in account.books for _ in book.options.amounts]
    finest = grain([money, *balances.values(), *held.values(), *kinds])
    listed = _Listed()
    listed.add(_balance(CASH, money.size(finest)), Quote("1"), account.cash)
    for name, coin in coins.items():
        quote = Quote(canonical_decimal(coin.price))
        listed.add(_balance(name, balances[name].size(finest)), quote, coin.amount)
    for book in swaps:
        swap, size = book.perpetuals, held[book.perpetual].size(finest)
        listed.add(_perpetual(book, size), Quote(canonical_decimal(swap.price)), swap.amount)
    for book in account.books:
        for option in book.options.listed(book.options.held.size(finest)):
            listed.add(*option)
    return listed


def _balance(currency: str, counted: Size) -> Instrument:
    lot, contract, bound = astuple(counted)
    return Instrument(currency, "balance", currency, currency, False, None, None, None, lot, contract, bound)


def _perpetual(book: Book, counted: Size) -> Instrument:
    lot, contract, bound = astuple(counted)
    return Instrument(
        book.perpetual, "perpetual", book.underlying, CASH, False, None, None, None, lot, contract, bound
    )
