"""The commands of `zkmargin`, one module for each."""
