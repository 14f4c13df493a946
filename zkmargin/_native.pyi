"""The native extension. Numbers travel as bytes: see the modules that wrap each function."""

__version__: str

# zkmargin.margin.kernels: 64.64 numbers, 16 bytes each, little-endian two's complement.

class PricingError(ValueError):
    """args: the row of the instrument and the reason."""

    args: tuple[int, str]

def option_values(
    call: bytes,
    forward: bytes,
    strike: bytes,
    years: bytes,
    discount: bytes,
    vols: bytes,
    factors: bytes,
    vol_columns: list[int],
) -> bytes: ...
def option_greeks(
    call: bytes, forward: bytes, strike: bytes, years: bytes, discount: bytes, vols: bytes
) -> bytes: ...
def shocked_vols(vols: bytes, years: bytes, shock: bytes) -> bytes: ...
def risk_array(
    base: bytes, values: bytes, damping: bytes, multiplier: bytes, quanta: list[int]
) -> bytes: ...
def q64_map(name: str, left: bytes, right: bytes) -> bytes: ...
