"""Joint scenarios of all underlyings: from price history, plain or filtered, or drawn from volatilities."""
