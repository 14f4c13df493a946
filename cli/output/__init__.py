"""Reports, tables and charts for the terminal."""
