"""The demonstrations: the example account, and portable margin between processes."""
