"""The parts of the product that are installed on request, and what is said when one of them is missing."""

EXTRAS = {
    "plots": ("matplotlib",),
    "planning": ("highspy",),
    "client": ("httpx",),
    "evidence": ("ccxt", "rlp", "trie"),
    "service": (
        "alembic",
        "fastapi",
        "httptools",
        "prometheus_client",
        "psycopg",
        "pyarrow",
        "pydantic_settings",
        "sqlalchemy",
        "starlette",
        "uvicorn",
        "uvloop",
    ),
}
"""The top-level modules that an extra of pyproject.toml brings, and that no smaller one does."""

PURPOSES = {
    "plots": "pictures",
    "planning": "finding least-cost plans",
    "client": "asking a service",
    "evidence": "reading holdings from a chain or a venue",
    "service": "running a service or reading a venue's ledger",
}


def missing_extra(error: ImportError) -> str | None:
    """Return the line to show when a module of an extra is not installed; None if the module belongs to no extra."""
    module = (error.name or "").partition(".")[0]
    for extra, modules in EXTRAS.items():
        if module in modules:
            return (
                f"{PURPOSES[extra]} needs {module}, which is not installed: pip install 'zkmargin[{extra}]'"
            )
    return None
