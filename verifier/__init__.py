"""zkmargin."""
