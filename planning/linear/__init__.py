"""The linear program of a plan: rows, scaling, solver, and exact bounds from multipliers."""
