"""`omi-bridge console`: the pages for admins, a process beside the service, which it asks for all that it shows."""

import os
import sys
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import click

from bridge.commands.options import PlainCommand, config_option
from bridge.config.console import load_console
from bridge.insight.client import ask_service
from bridge.observability.logs import as_error, set_up_logs
from bridge.sdk.errors import ConfigError
from bridge.sdk.secrets import Redaction, secrets_in

_SHORTEST = 10
_NICENESS = 10
"""How far it stands back where processors are scarce (nice(2)): calls come first."""

_NEEDED = ("flask_bootstrap", "flask_wtf", "flask_babel")


@click.command(cls=PlainCommand)
@config_option
@click.option("--bind", metavar="HOST:PORT", help="Listen here instead of at console.bind.")
@click.option("--set-password", "sets", is_flag=True, help="Ask for a password, print its line for the configuration.")
def console(file: Path, bind: str | None, *, sets: bool) -> None:
    """Show admins the running service: why a number rings where it does, and whether all is well."""
    if sets:
        click.echo(_password_line())
        return
    if not all(map(find_spec, _NEEDED)):
        raise click.UsageError("the console needs more packages: pip install 'omi-bridge[console]'")
    try:
        settings = load_console(file)
    except ConfigError as error:
        for problem in error.problems:
            click.echo(as_error(str(problem)), err=True)
        sys.exit(2)
    os.nice(_NICENESS)
    set_up_logs("info", "text", Redaction(secrets_in(settings)))
    from bridge.console.app import create_app  # noqa: PLC0415 - the other commands do without
    from bridge.console.server import ConsoleServer  # noqa: PLC0415

    ConsoleServer(create_app(settings, partial(ask_service, file)), bind or settings.bind).run()


def _password_line() -> str:
    """Ask for a password twice; return it hashed, as the configuration wants it."""
    from werkzeug.security import generate_password_hash  # noqa: PLC0415 - it imports slowly

    while True:
        password = click.prompt("Password for the console", hide_input=True, confirmation_prompt=True, err=True)
        if len(password) >= _SHORTEST:
            return f"  password: '{generate_password_hash(password)}'"
        click.echo(f"at least {_SHORTEST} characters: what opens the console may not be guessed", err=True)
