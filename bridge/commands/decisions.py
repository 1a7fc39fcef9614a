"""`omi-bridge decisions`: what OMICall was told about the last calls, and why."""

import json
import math
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import date, datetime
from pathlib import Path

import click

from bridge.commands.options import MOMENT, PlainCommand, caller_in, config_option
from bridge.config.loading import load_config
from bridge.config.moments import begins, ends
from bridge.observability.decision_log import sought_in
from bridge.observability.decision_table import KeptDecision
from bridge.observability.decision_table import decisions as kept_decisions
from bridge.sdk.errors import ConfigError
from bridge.sdk.words import with_signs
from bridge.storage.sqlite_file import why_without_table


@click.command(cls=PlainCommand)
@config_option
@click.option("--caller", metavar="N", help="Only calls from this number.")
@click.option("--since", type=MOMENT, help="Only calls from then on: yesterday, 2h, 2026-11-25, 25/11/2026 14:00.")
@click.option("--until", type=MOMENT, help="Only calls before then, or on that day at the latest.")
@click.option("--limit", type=click.IntRange(1, 100_000), default=20, show_default=True, help="How many at most.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
def decisions(
    file: Path, caller: str | None, since: date | None, until: date | None, limit: int, *, as_json: bool
) -> None:
    """Tell what the last calls were answered, and why, the newest first."""
    try:
        config = load_config(file)
    except ConfigError as error:
        click.echo(str(error), err=True)
        sys.exit(2)
    path = config.decisions_file
    sought = sought_in(config, caller_in(caller, config, "--caller")) if caller else None
    oldest = begins(since).timestamp() if since else 0.0
    end = ends(until).timestamp() if until else math.inf
    if end <= oldest:
        raise click.UsageError("--until lies before --since: nothing can be between them")
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as db:
            for one in kept_decisions(db, sought, oldest, end, limit):
                click.echo(with_signs(_as_json(one) if as_json else "\n".join(_told(one))))
    except sqlite3.Error as error:
        click.echo(f"{path} cannot be read: {_why(path, error)}", err=True)
        sys.exit(1)
    if sought and config.settings.server.decisions.callers == "masked":
        click.echo(f"callers are kept masked: these are all that end in {sought.texts[0]}", err=True)


def _why(path: Path, error: sqlite3.Error) -> str:
    try:
        if not path.exists():
            return "no call has been answered yet, or it is kept elsewhere"
        return why_without_table(path) if str(error).startswith("no such table") else str(error)
    except OSError as hidden:  # the folder is another user's
        return f"{hidden.strerror}: ask as the user that the service runs as"


def _told(one: KeptDecision) -> Iterator[str]:
    when = datetime.fromtimestamp(one.at).astimezone().isoformat(" ", "milliseconds")
    how = ", ".join(part for part in (one.answer, one.connector, f"{one.milliseconds:g} ms") if part)
    called = f" called {one.hotline}" if one.hotline else ""
    yield f"{when}  {one.caller or 'no number'}{called}: {one.outcome} {one.body or '-'} ({how}) {one.request_id}"
    yield from (f"    {line}" for line in one.because)


def _as_json(one: KeptDecision) -> str:
    fields = one._asdict() | {"at": datetime.fromtimestamp(one.at).astimezone().isoformat()}
    return json.dumps({name: value for name, value in fields.items() if name != "caller_hash"}, ensure_ascii=False)
