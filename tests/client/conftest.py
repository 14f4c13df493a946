"""The clients are tried against a running service."""

from tests.verifier.service.conftest import folder, new_database, postgres, scene

__all__ = ["folder", "new_database", "postgres", "scene"]
