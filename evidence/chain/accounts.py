"""From proven words to positions: a wallet's tokens, an account that lists what it holds, a lending market."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from zkmargin.attestation.signing import address_of
from zkmargin.evidence.chain.plan import Amount, Asset, ChainPlan, Contract, Market, SubAccount, Wallet
from zkmargin.evidence.chain.state import ProvenState
from zkmargin.evidence.chain.storage import address_number, in_array, in_mapping, signed
from zkmargin.evidence.reading import lots_below
from zkmargin.margin.account.holdings import Position
from zkmargin.margin.errors import Finding, InputError
from zkmargin.margin.snapshot.snapshot import Snapshot

BALANCE_BITS, ADDRESS_BITS = 240, 160
MOST_HELD = 1 << 12


@dataclass(frozen=True)
class Shown:
    """What the chain shows of an account.

    Attributes:
        identity: the account: kind, contract and number or holder.
        positions: in the universe, not yet added up.
        complete: whether nothing is left out.
    """

    identity: tuple[str, ...]
    positions: tuple[Position, ...]
    complete: bool


def shown(plan: ChainPlan, state: ProvenState, snapshot: Snapshot, subject: str) -> Shown:
    """The account that a plan is about.

    Raises:
        InputError: it is not the subject's, is not proven, or holds what the plan or the universe does not know.
    """
    if plan.wallet is not None:
        return _wallet(plan.wallet, state, snapshot, subject)
    if plan.market is not None:
        return _market(plan.market, state, snapshot, subject)
    if plan.account is None:
        raise InputError("plan", "account", Finding("missing"), "describe what is to be read")
    return _sub_account(plan.account, state, snapshot, subject)


def _wallet(wallet: Wallet, state: ProvenState, snapshot: Snapshot, subject: str) -> Shown:
    _check_owner(wallet.holder, subject, "wallet")
    positions = tuple(
        _position(token, token, state, snapshot, wallet.holder, owed=False) for token in wallet.tokens
    )
    return Shown(("wallet", wallet.holder), positions, complete=False)


def _market(market: Market, state: ProvenState, snapshot: Snapshot, subject: str) -> Shown:
    _check_owner(market.holder, subject, "market")
    positions = (
        *(_position(market, one, state, snapshot, market.holder, owed=False) for one in market.collateral),
        *(_position(market, one, state, snapshot, market.holder, owed=True) for one in market.debts),
    )
    return Shown(("market", market.address, market.holder), positions, market.complete)


def _position(
    contract: Contract, amount: Amount, state: ProvenState, snapshot: Snapshot, holder: str, *, owed: bool
) -> Position:
    """What a mapping of amounts, or of shares with a price, has for a holder."""
    slots = [in_mapping(amount.slot, address_number(holder))]
    if amount.price_slot is not None:
        slots.append(amount.price_slot)
    units, *price = state.words(contract, slots)
    each = Fraction(price[0], 10**amount.price_decimals) if price else Fraction(1)
    quantity = Fraction(units, 10**amount.decimals) * each
    where = f"slot {amount.slot} of {contract.address}"
    _check_instrument(amount.instrument, snapshot, where)
    return lots_below(-quantity if owed else quantity, amount.instrument, snapshot, where)


def _sub_account(account: SubAccount, state: ProvenState, snapshot: Snapshot, subject: str) -> Shown:
    owner = state.word(account, in_mapping(account.owners, account.account))
    _check_owner(address_of((owner % (1 << ADDRESS_BITS)).to_bytes(20, "big")), subject, "account")
    list_slot = in_mapping(account.held, account.account)
    length = state.word(account, list_slot)
    if length > MOST_HELD:
        remedy = f"at most {MOST_HELD} assets of one account are read"
        raise InputError(account.address, f"assets of account {account.account}", length, remedy)
    entries = state.words(account, (in_array(list_slot, index) for index in range(length)))
    pairs = [(entry % (1 << ADDRESS_BITS), entry >> ADDRESS_BITS) for entry in entries]
    words = state.words(account, (_balance_slot(account, *pair) for pair in pairs))
    known = {(address_number(one.asset), int(one.sub_id)): one for one in account.assets}
    positions = []
    for index, (pair, word) in enumerate(zip(pairs, words, strict=True)):
        where = f"account {account.account} of {account.address}, asset {index}"
        if word >> BALANCE_BITS != index:
            remedy = (
                "its balance names another place in the list; the slots of the plan are not this contract's"
            )
            raise InputError(where, "order", word >> BALANCE_BITS, remedy)
        positions.append(_held(pair, known.get(pair), signed(word, BALANCE_BITS), snapshot, where))
    identity = ("account", account.address, str(account.account))
    return Shown(identity, tuple(positions), complete=True)


def _balance_slot(account: SubAccount, asset: int, sub_id: int) -> int:
    return in_mapping(in_mapping(in_mapping(account.balances, account.account), asset), sub_id)


def _held(
    pair: tuple[int, int], asset: Asset | None, balance: int, snapshot: Snapshot, where: str
) -> Position:
    if asset is None:
        name = f"{address_of(pair[0].to_bytes(20, 'big'))}/{pair[1]}"
        raise InputError(where, "asset", name, "the plan does not say what it is; give it a row there")
    _check_instrument(asset.instrument, snapshot, where)
    return lots_below(Fraction(balance, 10**asset.decimals), asset.instrument, snapshot, where)


def _check_instrument(name: str, snapshot: Snapshot, where: str) -> None:
    if name not in snapshot.universe:
        raise InputError(where, "instrument", name, "not listed by the snapshot; use a name of its universe")
    if snapshot.universe.instruments[snapshot.universe.slot(name)].margined_daily:
        remedy = (
            "it is margined daily, and a balance does not show what it was entered at; it cannot be read so"
        )
        raise InputError(where, "instrument", name, remedy)


def _check_owner(owner: str, subject: str, what: str) -> None:
    """Raises InputError unless the account is the subject's: otherwise anybody's wealth could be attested to."""
    if owner != subject:
        remedy = f"it belongs to another than the subject, {subject}; attest to accounts of the subject's key alone"
        raise InputError(what, "owner", owner, remedy)
