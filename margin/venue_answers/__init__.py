"""Answers of venues' own margin simulations: read, margined again, and set side by side."""
