"""Reading and writing files: CSV, JSON, canonical encoding, atomic writes, and validation errors."""
