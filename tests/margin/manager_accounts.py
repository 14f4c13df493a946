"""Invented accounts under Derive's first portfolio manager (PMRM) and its standard manager (SRM), as cases in lists."""

from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from tests.margin import published_pmrm, published_srm


def amounts(low: int, high: int) -> st.SearchStrategy[str]:
    return st.decimals(Decimal(low), Decimal(high), places=3).map(str)


_pmrm_sure = st.sampled_from(("0", "0.2", "0.59", "0.6", "1"))


def _pmrm_named(held: tuple[int, str, str, str, str]) -> tuple[int, str, str, str]:
    expiry, strike, side, _, volatility = held
    return expiry, strike, side, volatility


@st.composite
def pmrm_accounts(draw: st.DrawFn, largest: int = 8) -> dict[str, Any]:
    option = st.tuples(
        st.sampled_from(tuple(published_pmrm.FORWARDS)),
        st.sampled_from(("1000", "1450", "1500", "1600.5", "2200")),
        st.sampled_from("cp"),
        amounts(-20, 20),
        st.sampled_from(("0.7", "1.1")),
    )
    # What is named twice is held once.
    options = draw(st.lists(option, max_size=largest, unique_by=_pmrm_named))
    scenario = {
        "Perps": draw(st.sampled_from(("0", "2.5", "-12"))),
        "Base": draw(st.sampled_from(("0", "3.25"))),
        "Cash": draw(amounts(-5000, 50000)),
        "UnrealizedPerpPNL": draw(amounts(-50, 50)),
        "SpotConfidence": draw(_pmrm_sure),
        "PerpConfidence": draw(_pmrm_sure),
        "StablePrice": draw(st.sampled_from(("1", "1.01", "0.9"))),
    }
    confidences = {"OptionVolConfidences": draw(_pmrm_sure)}
    case = published_pmrm.Published("drawn", options, "0", "0", scenario, confidences)
    return published_pmrm.document(case)


_srm_sure = st.sampled_from(("0", "0.2", "0.399", "0.4", "1"))


def _srm_named(held: tuple[str, int, str, str, str]) -> tuple[str, int, str, str]:
    return held[0], held[1], held[2], held[3]


@st.composite
def srm_accounts(draw: st.DrawFn, largest: int = 10) -> dict[str, Any]:
    """Options of up to two coins and four expiries, often at the same strikes; any charge may be on."""
    option = st.tuples(
        st.sampled_from(("ETH", "ETH", "ETH", "BTC")),
        st.sampled_from((892800, 4953600)),
        st.sampled_from(("500", "1800", "2000", "2100.5", "2600", "31000")),
        st.sampled_from("cp"),
        st.one_of(st.sampled_from(("-1", "1", "-2", "0")), amounts(-20, 20)),
    )
    held = draw(st.lists(option, max_size=largest, unique_by=_srm_named))
    options = [(*row, "0.5") for row in held]
    scenario = {
        "Perps_ETH": draw(st.sampled_from(("0", "2.5", "-12"))),
        "LastEntryETH": draw(st.sampled_from(("2001", "1900"))),
        "wETH": draw(st.sampled_from(("0", "3.25"))),
        "wBTC": draw(st.sampled_from(("0", "1"))),
        "Cash": draw(amounts(-5000, 50000)),
        "USDCValue": draw(st.sampled_from(("1", "1.01", "0.9"))),
    }
    confidences = {
        "vol ETH 892800": draw(_srm_sure),
        "forward": draw(_srm_sure),
        "spot ETH": draw(_srm_sure),
        "perpetual ETH": draw(_srm_sure),
    }
    return published_srm.document(
        published_srm.Published("drawn", options, "0", "0", scenario, confidences), dollars=True
    )
