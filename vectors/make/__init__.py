"""The makers of the vectors, one module a file or two."""
