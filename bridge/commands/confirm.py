"""`omi-bridge confirm`: a list that has lost more than half of what it had is right as it is.

The running service, which may be several processes, learns of it by a file in its folder. What is confirmed is the very
version that the service doubts and told of, not whatever may take its place meanwhile.
"""

import sys
from pathlib import Path

import click

from bridge.commands.options import PlainCommand, config_option
from bridge.config.loading import load_config
from bridge.extensions.lists import NAME_OF_THE_DEPUTIES, NAME_OF_THE_FILE
from bridge.sdk.disk.list_state import confirm_doubted
from bridge.sdk.errors import ConfigError


@click.command(cls=PlainCommand)
@config_option
@click.argument("name")
def confirm(file: Path, name: str) -> None:
    """Believe the list NAME, a connector or extensions.TYPE, though it has lost more than half of what it had."""
    try:
        config = load_config(file)
    except ConfigError as error:
        click.echo(str(error), err=True)
        sys.exit(2)
    lists = [NAME_OF_THE_FILE] if config.settings.extensions.csv else []
    lists += [NAME_OF_THE_DEPUTIES] if config.settings.extensions.deputies.csv else []
    names = [*config.sources, *lists, *(f"extensions.{one.name}" for one in config.lists)]
    if name not in names:
        raise click.UsageError(f"there is no list {name!r}: there are {', '.join(names)}")
    try:
        told = confirm_doubted(config.lists_folder, name)
    except OSError as error:
        click.echo(f"{config.lists_folder}: {error.strerror or error}: confirm as the service's user", err=True)
        sys.exit(1)
    if not told:
        click.echo(f"{name} is not doubted, as far as {config.lists_folder} tells", err=True)
        sys.exit(1)
    click.echo(f"{name} is confirmed, and believed from now on: {told}")
