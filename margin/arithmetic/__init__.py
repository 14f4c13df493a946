"""Fixed-point arithmetic: decimals, exp, ln, the normal distribution, Black-76, and packed columns."""
