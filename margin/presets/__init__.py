"""Rules of venues as parameters: what may stand in place of the grid's own."""
