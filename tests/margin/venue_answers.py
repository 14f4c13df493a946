"""Answers of Deribit's private/pme/simulate, written anew from what was published."""

from typing import Any

MOVES = (-4, -3, -2, -1, 0, 1, 2, 3, 4)
PAIR = {
    "extended_table_factor": 1, "min_volatility_for_shock_up": 0.5, "max_delta_shock": 0.1,
    "delta_total_liq_shock_threshold": 20000000, "volatility_range_down": 0.25, "long_term_vega_power": 0.13,
    "short_term_vega_power": 0.3,
}  # fmt: skip


def vector(*nine: float, tails: tuple[float, float] | None = None) -> dict[str, list[float]]:
    """Each of nine numbers for three volatility moves; tails at the ends of the range unless given."""
    low, high = (nine[0], nine[-1]) if tails is None else tails
    return {"standard": [number for number in nine for _ in range(3)], "extended": [low] * 2 + [high] * 6}


def documented() -> dict[str, Any]:
    """The example of the documentation: BTC, 17 June 2024."""
    perpetual = vector(
        -0.05991206933333334, -0.04289159509090909, -0.027351162086956524, -0.013105765166666668, 0,
        0.012097629384615385, 0.023299138074074074, 0.033700538999999995, 0.043384601931034494,
    )  # fmt: skip
    future = vector(
        0.0002261969523809524, 0.00016193645454545456, 0.00010326382608695652, 0.00004948058333333334, 0,
        -0.00004567438461538462, -0.00008796548148148148, -0.0001272357857142857, -0.00016379779310344832,
    )  # fmt: skip
    together = vector(
        -0.05968587238095239, -0.04272965863636364, -0.02724789826086957, -0.013056284583333334, 0, 0, 0, 0, 0,
        tails=(0, 0),
    )  # fmt: skip
    margins = {
        "initial_margin": 0.122861343,
        "maintenance_margin": 0.050274504784,
        "initial_margin_details": {
            "risk_matrix_margin": 0.06284313098,
            "spot_margin": 0,
            "mmp_margin": 0.06,
            "open_orders_margin": 0.000018212,
            "risk_matrix_margin_details": {
                "delta_shock": 0, "roll_shock": 0.00315725898, "worst_case": 0.05968587238095239,
                "correlation_contingency": 0,
            },
        },
    }  # fmt: skip
    return {
        "jsonrpc": "2.0",
        "result": {
            "model_params": {
                "general": _general(1718619740501),
                "currency_pair": {
                    "btc_usd": {**PAIR, "m_inc": 0.00005, "price_range": 0.16, "volatility_range_up": 0.5}
                },
                "currency": {"btc": _currency(0.075, 100000, 0.01, 0)},
            },
            "aggregated_risk_vectors": {"btc_btc": together},
            "initial_risk_vectors": {"BTC-PERPETUAL": perpetual, "BTC-28JUN24": future},
            "margins": {"btc": margins},
            "portfolio": {
                "currency": {},
                "position": {"BTC-PERPETUAL": 0.314538364, "BTC-28JUN24": -0.001187534},
            },
            "index_price": {"btc_usd": 65666.19},
            "ticker": {
                "BTC-PERPETUAL": {"mark_price": 65910.57, "index_price": 65666.19},
                "BTC-28JUN24": {"mark_price": 67371.75, "index_price": 65666.19},
            },
        },
    }


def recorded() -> dict[str, Any]:
    """A recorded answer: ETH, 15 February 2026, without its envelope."""
    perpetual = vector(
        0.21939959699999997, 0.155989308849711, 0.09885036787912087, 0.04709624857068063, 0,
        -0.04304011233014354, -0.08252645391743119, -0.11888171996035243, -0.15246412672881357,
    )  # fmt: skip
    together = vector(
        0.13163975819999998, 0.09359358530982659, 0.05931022072747252, 0.028257749142408375, 0,
        -0.04304011233014354, -0.08252645391743119, -0.11888171996035243, -0.15246412672881357, tails=(0, 0),
    )  # fmt: skip
    return {
        "ticker": {"ETH-PERPETUAL": {"index_price": 1949.34, "mark_price": 1949.49}},
        "index_price": {"eth_usd": 1949.34},
        "portfolio": {"position": {"ETH-PERPETUAL": -0.999487053}, "currency": {}},
        "margins": {
            "eth": {
                "maintenance_margin": 0.125969249812,
                "initial_margin": 0.157461562,
                "initial_margin_details": {
                    "open_orders_margin": 0, "mmp_margin": 0, "spot_margin": 0,
                    "risk_matrix_margin": 0.157461562265,
                    "risk_matrix_margin_details": {
                        "correlation_contingency": 0, "worst_case": 0.15246412672881357,
                        "roll_shock": 0.004997435265, "delta_shock": 0,
                    },
                },
            }
        },
        "initial_risk_vectors": {"ETH-PERPETUAL": perpetual},
        "aggregated_risk_vectors": {"eth_eth": together},
        "model_params": {
            "general": _general(1771197609587),
            "currency": {"eth": _currency(0.05, 200000, 0.005, 0.6)},
            "currency_pair": {
                "eth_usd": {**PAIR, "m_inc": 0.000004, "price_range": 0.18, "volatility_range_up": 0.4}
            },
        },
    }  # fmt: skip


def _general(timestamp: int) -> dict[str, Any]:
    return {"timestamp": timestamp, "mm_factor": 0.8, "buckets_count": 4, "vol_scenarios_count": 3}


def _currency(annual: float, dampener: int, least: float, offset: float) -> dict[str, Any]:
    return {
        "annualised_move_risk": annual, "extended_dampener": dampener, "min_annualised_move": least,
        "pnl_offset": offset, "max_offsetable_pnl": 0, "haircut": 0, "equity_side_impact": "both",
        "correlation_set": False,
    }  # fmt: skip
