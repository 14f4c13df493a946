"""The `zkmargin` command: thin, every command a few calls into the rooms below."""

from zkmargin.cli.command import main

__all__ = ["main"]
