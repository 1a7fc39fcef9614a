"""`omi-bridge forget`: a caller is forgotten everywhere; see `bridge.insight.forgetting`."""

import sys
from pathlib import Path

import click

from bridge.commands.options import PlainCommand, caller_in, config_option
from bridge.config.loading import load_config
from bridge.insight.forgetting import forget_everywhere, not_touched
from bridge.sdk.errors import ConfigError


@click.command(cls=PlainCommand)
@config_option
@click.argument("phone")
def forget(file: Path, phone: str) -> None:
    """Forget the caller PHONE everywhere: the running service, its files, the shared memory, the decisions."""
    try:
        config = load_config(file)
    except ConfigError as error:
        click.echo(str(error), err=True)
        sys.exit(2)
    caller = caller_in(phone, config, "PHONE")
    click.echo(f"forgetting {caller.masked}")
    unfinished = False
    for part, told, failed in forget_everywhere(config, caller):
        unfinished = unfinished or failed
        click.echo(f"{part}: {'NOT FORGOTTEN: ' if failed else ''}{told}", err=failed)
    for line in not_touched(config):
        click.echo(f"not touched: {line}")
    if unfinished:
        click.echo("run it again when that is mended", err=True)
        sys.exit(1)
