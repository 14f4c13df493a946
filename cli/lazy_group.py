"""A group of commands that are imported when they are called: help and completion load none of them."""

from collections.abc import Callable
from typing import Any, NamedTuple

import click
from click.shell_completion import CompletionItem

from zkmargin.cli.boundary import Boundary


class Part(NamedTuple):
    """A command that is not imported yet.

    Attributes:
        summary: the first sentence of the command's help, which the group's help shows.
        load: imports the command and returns it.
    """

    summary: str
    load: Callable[[], click.Command]


class LazyGroup(Boundary):
    """The group of the whole program."""

    def __init__(self, *args: Any, **extra: Any) -> None:
        """Take what `click.Group` takes; `part` adds the commands."""
        super().__init__(*args, **extra)
        self.parts: dict[str, Part] = {}

    def part(self, name: str, summary: str) -> Callable[[Callable[[], click.Command]], Part]:
        """Return a decorator that adds the command which the decorated function imports.

        Args:
            name: the word that calls the command.
            summary: the first sentence of its help.
        """

        def add(load: Callable[[], click.Command]) -> Part:
            self.parts[name] = Part(summary, load)
            return self.parts[name]

        return add

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands, sorted."""
        return sorted(self.parts)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command; None if there is none of this name."""
        if cmd_name in self.parts and cmd_name not in self.commands:
            self.add_command(self.parts[cmd_name].load(), cmd_name)
        return self.commands.get(cmd_name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the names and summaries of all commands."""
        names = self.list_commands(ctx)
        limit = formatter.width - 6 - max(map(len, names))
        with formatter.section("Commands"):
            formatter.write_dl([(name, self._summary(name, limit)) for name in names])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Complete the name of a command, or an option of the group."""
        items = [
            CompletionItem(name, help=self._summary(name))
            for name in self.list_commands(ctx)
            if name.startswith(incomplete)
        ]
        return items + click.Command.shell_complete(self, ctx, incomplete)

    def _summary(self, name: str, limit: int = 45) -> str:
        """The summary as click shortens the help of a command that is imported."""
        return click.Command(name, help=self.parts[name].summary).get_short_help_str(limit)
