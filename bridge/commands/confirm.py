"""`omi-bridge confirm`: a list that has lost more than half of what it had is right as it is.

The running service, which may be several processes, learns of it by a file in its folder. What is confirmed is the very
version that the service doubts and told of, not whatever may take its place meanwhile. Where no service has doubted it
yet, `check` has: then it is what a file looks like now.
"""

import sys
from pathlib import Path

import click

from bridge.commands.options import PlainCommand, config_option
from bridge.config.loading import Config, load_config
from bridge.diagnosis.sources import OPENING_PATIENCE
from bridge.observability.logs import set_up_logs
from bridge.sdk.disk.list_state import ListState
from bridge.sdk.errors import ConfigError
from bridge.sdk.secrets import Redaction
from bridge.service import Service


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
    where = config.lists_folder
    extensions = config.settings.extensions
    lists = filter(None, (extensions.file_name, extensions.deputies_name))
    names = [*config.sources, *lists, *(f"extensions.{one.name}" for one in config.lists)]
    if name not in names:
        raise click.UsageError(f"there is no list {name!r}: there are {', '.join(names)}")
    try:
        told = ListState(where, name).confirm() or _as_check_sees_it(config, name).confirm()
    except OSError as error:
        click.echo(f"{where}: {error.strerror or error}: confirm as the service's user", err=True)
        sys.exit(1)
    if not told:
        click.echo(f"{name} is not doubted, neither by a service that keeps its lists in {where} nor here", err=True)
        sys.exit(1)
    click.echo(f"{name} is confirmed, and believed from now on: {told}")


def _as_check_sees_it(config: Config, name: str) -> ListState:
    """Read a file as `check` does, writing nothing; what lies beyond the network is doubted by a service alone."""
    set_up_logs("error", "text", Redaction(config.secrets))
    service = Service(config, shares=False)
    try:
        for file in service.extensions.files():
            if file.kept.name == name:
                if not file.needs_network:
                    file.start()
                return file.kept
        guard = service.guards.get(name)
        if guard is None or guard.connector.needs_network:
            return ListState()
        guard.opening.start()
        guard.opening.wait(OPENING_PATIENCE)
        return guard.connector.kept
    finally:
        service.close()
