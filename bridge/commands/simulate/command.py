"""`omi-bridge simulate`: plays OMICall against the endpoint, before the first customer calls."""

import asyncio
import json
import re
import ssl
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from bridge.commands.options import DURATION, PlainCommand, expect_option, hotline_option
from bridge.commands.simulate.call import Target
from bridge.commands.simulate.rehearsal import RehearsalPlan, rehearse
from bridge.commands.simulate.report import told
from bridge.config.expectations import Expectation
from bridge.config.loading import load_config
from bridge.config.sections import Phone
from bridge.diagnosis.expectations import callers_in, expectations_in
from bridge.sdk.errors import ConfigError

_NOBODYS = [f"0999{n:06d}" for n in range(0, 1_000_000, 7919)]
"""Well-formed numbers that nobody should have."""

_file = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command(cls=PlainCommand)
@click.option("-c", "--config", "file", type=_file, envvar="OMI_BRIDGE_CONFIG", help="Where address and key come from.")
@click.option("--url", help="Address of the endpoint. Default: server.bind and server.path of the configuration.")
@click.option(
    "--key",
    envvar=["OMI_BRIDGE_KEY", "OMI_BRIDGE_API_KEY"],
    help="X-API-KEY, which is better not written here, where others see it. Default: $OMI_BRIDGE_KEY, "
    "$OMI_BRIDGE_API_KEY, then the first of api_keys.",
)
@click.option("--phones", type=_file, help="Callers, one a line. Default: numbers that nobody should have.")
@expect_option
@hotline_option
@click.option(
    "--rate", type=click.FloatRange(0, 5000, min_open=True), default=5.0, show_default=True, help="Calls a second."
)
@click.option("--duration", type=DURATION, default="10s", show_default=True, help="How long, such as 30s or 5m.")
@click.option("--ca-file", type=_file, help="Certificates (PEM) to trust instead of the usual ones.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as a JSON object.")
def simulate(  # noqa: PLR0913, PLR0917 - one parameter an option
    file: Path | None, url: str | None, key: str | None, phones: Path | None, expect: Path | None, hotline: str,
    rate: float, duration: float, ca_file: Path | None, as_json: bool,
) -> None:  # fmt: skip
    """Call the endpoint as OMICall does, at a steady rate, and tell whether it keeps its promise.

    Exit status 0 if every call was answered within two seconds, properly and as expected, else 1.
    """
    target = _target(file, url, key, hotline, ca_file)
    try:
        expected = _bodies(expectations_in(expect, Phone().region)) if expect else {}
        callers = callers_in(phones) if phones else list(expected) or _NOBODYS
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    plan = RehearsalPlan(target, callers, rate, duration, expected)
    with click.progressbar(length=plan.calls, label="calling", file=sys.stderr, hidden=not sys.stderr.isatty()) as bar:
        report = asyncio.run(rehearse(plan, lambda: bar.update(1)))
    click.echo(json.dumps(report.as_json(), ensure_ascii=False) if as_json else "\n".join(told(report)))
    sys.exit(0 if report.passed else 1)


def _bodies(expectations: Sequence[Expectation]) -> dict[str, str]:
    """Return for each caller the body that is right. Raises ValueError for what no answer shows."""
    for one in expectations:
        if one.extensions is None:
            raise ValueError(f"{one.place}: an answer names no owners: write 'extensions' for a rehearsal")
        if one.hotline:
            raise ValueError(f"{one.place}: a rehearsal dials one hotline: give it with --hotline")
    return {one.caller: ":".join(one.extensions or ()) for one in expectations}


def _target(file: Path | None, url: str | None, key: str | None, hotline: str, ca_file: Path | None) -> Target:
    if not url or not key:
        try:
            settings = load_config(file or Path("config.yaml")).settings
        except ConfigError as error:
            missing = " and ".join(name for name, given in (("--url", url), ("$OMI_BRIDGE_KEY", key)) if not given)
            raise click.UsageError(f"{missing} not given, and the configuration cannot be read:\n{error}") from None
        port = settings.server.bind.rpartition(":")[2]
        url = url or f"http://127.0.0.1:{port}{settings.server.path}"
        key = key or settings.api_keys[0].get_secret_value()
    if not re.fullmatch(r"https?://[^/\s?#@]+(/[^\s?#]*)?", url, re.ASCII):
        raise click.UsageError("--url has to be http://HOST/PATH or https://HOST/PATH")
    if not re.fullmatch(r"[!-~]+", key):
        raise click.UsageError("a key has no blanks and no accents")
    tls = ssl.create_default_context(cafile=ca_file) if url.startswith("https:") else None
    return Target(url, key, hotline, tls)
