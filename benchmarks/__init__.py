"""What zkmargin costs: run by `make bench`, one process for each case, medians and peak memory."""
