"""The frame of all commands: loaded when asked for, ends by stable codes, tells people one sentence."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from typing import Any

import click

OK, FINDINGS, USAGE, TROUBLE = 0, 1, 2, 3
"""Exit codes: done; done and something was found; called wrongly; could not be done."""


class Trouble(click.ClickException):
    """Something stood in the way; the sentence says what, and what to do."""

    exit_code = TROUBLE

    def show(self, file: Any = None) -> None:
        """Print the sentence to standard error."""
        click.echo(f"forbear: {self.message}", err=True)


class Commands(click.Group):
    """A group whose commands live in one module each, named like them, imported when they are needed."""

    def __init__(self, *args: Any, names: Sequence[str] = (), package: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._names, self._package = tuple(names), package

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order in which a newcomer meets them."""
        return list(self._names)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the module of a command and return its command."""
        if cmd_name not in self._names:
            return None
        module = importlib.import_module(f"{self._package}.{cmd_name.replace('-', '_')}_command")
        command = module.command
        if not isinstance(command, click.Command):
            raise TypeError(f"{module.__name__}.command is no command")
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find a command; an unknown one is answered with the nearest name."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            from engine.text import did_you_mean

            advice = did_you_mean(args[0], self._names, of="commands")
            raise click.UsageError(f"There is no command `{args[0]}`; {advice}", ctx) from error


def run(group: click.Group, arguments: Sequence[str] | None = None) -> int:
    """Run a command line and return its exit code; people's mistakes end in a sentence, no traceback."""
    try:
        code = group.main(args=arguments, prog_name="forbear", standalone_mode=False)
    except click.exceptions.Abort:
        click.echo("forbear: stopped.", err=True)
        return TROUBLE
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except BrokenPipeError:
        sys.stdout = None  # whoever read our output has gone; nothing is left to be flushed
        return OK
    except FileNotFoundError as error:
        return _sentence(f"There is no file `{error.filename}`.")
    except PermissionError as error:
        return _sentence(f"`{error.filename}` may not be read or written by this user.")
    except OSError as error:
        if not error.filename:
            raise
        return _sentence(f"`{error.filename}` cannot be used: {error.strerror}.")
    return code if isinstance(code, int) else OK


def _sentence(text: str) -> int:
    click.echo(f"forbear: {text}", err=True)
    return TROUBLE
