"""`omi-bridge reload`: has the running service put its changed configuration in force, and tells what came of it.

SIGHUP does the same and tells only the log. The command's own environment counts for `${NAME}`: systemd reads its
EnvironmentFile anew for ExecReload, so the service gets new values that it could never see itself.
"""

import os
import sys
from pathlib import Path

import click

from bridge.commands.options import PlainCommand, config_option
from bridge.config.interpolation import variables_in

_PATIENCE = 85.0


@click.command(cls=PlainCommand)
@config_option
def reload(file: Path) -> None:
    """Have the running service read its configuration again; fail, with the reason, if it stays as it was."""
    from bridge.local.address import ServiceUnreachable  # noqa: PLC0415 - as in `serve`
    from bridge.web.control import ask_for_reload  # noqa: PLC0415 - as in `serve`

    try:
        verdict = ask_for_reload(file, _variables(file), _PATIENCE)
    except ServiceUnreachable as error:
        click.echo(str(error), err=True)
        sys.exit(1)
    for line in verdict.lines:
        click.echo(line, err=not verdict.accepted)
    if not verdict.accepted:
        sys.exit(1)


def _variables(file: Path) -> dict[str, str]:
    """Return the variables that are set here, of those that the configuration names."""
    try:
        text = file.read_text(encoding="utf-8", errors="replace")
    except OSError:  # the service says what is wrong with it
        return {}
    return {name: os.environ[name] for name in variables_in(text) if name in os.environ}
