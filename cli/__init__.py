"""The `zkmargin` command: thin, every command a few calls into the rooms below."""

import sys

__all__ = ["main"]


def main() -> None:
    """Run the command; an interrupt while it is still being imported ends it quietly as well."""
    try:
        from zkmargin.cli.command import command  # noqa: PLC0415 - see above

        command()
    except KeyboardInterrupt:
        sys.exit(130)
