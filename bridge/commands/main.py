"""The command line: serve, check, lookup, connectors, schema; decisions and simulate have files of their own.

Exit status: 0 answered, 1 a source could not answer, 2 wrong usage or configuration.
"""

import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import chain
from pathlib import Path
from typing import NoReturn

import click

from bridge.commands import connector_types
from bridge.commands.confirm import confirm
from bridge.commands.console import console
from bridge.commands.decisions import decisions
from bridge.commands.forget import forget
from bridge.commands.options import PlainCommand, Processes, config_option, expect_option, hotline_option
from bridge.commands.reload import reload
from bridge.commands.simulate.command import simulate
from bridge.commands.template import template
from bridge.config.expectations import Expectation
from bridge.config.json_schema import configuration_schema
from bridge.config.loading import NO_OVERRIDES, Config, load_config
from bridge.diagnosis.alerts import check_alerts
from bridge.diagnosis.expectations import expectations_in
from bridge.diagnosis.known_customers import KNOWN
from bridge.diagnosis.sources import OPENING_PATIENCE, check_service
from bridge.lookup.decision import Decision, Outcome
from bridge.observability.logs import as_error, set_up_logs
from bridge.sdk.deadline import Deadline
from bridge.sdk.errors import ConfigError, InvalidNumber, Problem
from bridge.sdk.phone.number import PhoneNumber
from bridge.sdk.secrets import Redaction
from bridge.sdk.words import with_signs
from bridge.service import Service

_UNAVAILABLE = 1
_WRONG_CONFIGURATION = 2


class _Program(click.Group):
    command_class = PlainCommand


@click.group(cls=_Program, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="omi-bridge")
def main() -> None:
    """Tell OMICall which extensions look after a caller."""


@main.command()
@config_option
@click.option("--bind", metavar="HOST:PORT", help="Listen here instead of at server.bind.")
@click.option("--workers", type=Processes(), help="Processes, instead of server.workers.")
@click.option("--threads", type=click.IntRange(2, 1000), help="Threads of each process, instead of server.threads.")
def serve(file: Path, bind: str | None, workers: int | None, threads: int | None) -> None:
    """Answer OMICall until told to stop; SIGHUP, or `omi-bridge reload`, reads the configuration again."""
    from bridge.web.listening import obstacle_to_listening  # noqa: PLC0415 - as gunicorn
    from bridge.web.master import GunicornServer  # noqa: PLC0415 - the other commands do without gunicorn

    chosen = {"bind": bind, "workers": workers, "threads": threads}
    config = _load(file, {name: value for name, value in chosen.items() if value is not None})
    redaction = Redaction(config.secrets)
    set_up_logs(config.settings.server.log_level, config.settings.server.log_format, redaction)
    if why_not := obstacle_to_listening(config.settings.server.bind):
        _refuse(ConfigError([Problem("command line" if bind else str(file), 0, 0, "server.bind", why_not)]))
    GunicornServer(config, redaction).run()


@main.command()
@config_option
@click.option("--online", is_flag=True, help="Also ask every source, for nobody and for known customers.")
@click.option("--config-only", is_flag=True, help="Open no source: whether the service would accept the file.")
@click.option("--alerts", is_flag=True, help="Also send a test message by each channel under alerts:.")
@click.option("--known", multiple=True, metavar="PHONE", help="With --online: somebody must come for this caller.")
@expect_option
def check(
    file: Path, *, online: bool, config_only: bool, alerts: bool, known: tuple[str, ...], expect: Path | None
) -> None:
    """Check the configuration and the files that it names."""
    if config_only and (online or alerts):
        raise click.UsageError(f"{'--online' if online else '--alerts'} and --config-only exclude each other")
    if (known or expect) and not online:
        raise click.UsageError("--known and --expect need --online, for the sources have to be asked")
    config = _load(file)
    if alerts and config.settings.alerts is None:
        raise click.UsageError(f"--alerts: {file} has no section alerts: docs/alerts.md tells how to write one")
    more = _known_customers(known, expect, config.settings.phone.region)
    click.echo(f"{file}: valid")
    if config_only:
        return
    redaction = Redaction(config.secrets)
    set_up_logs("error", "text", redaction)
    service = Service(config, shares=False)  # what another instance knows is no proof
    try:
        failed = False
        for line in chain(check_service(service, online=online, more=more), check_alerts(config, sends=alerts)):
            failed = failed or line.failed
            click.echo(redaction(str(line)))
    finally:
        service.close()
    if failed:
        sys.exit(_UNAVAILABLE)


@main.command()
@config_option
@click.argument("phone")
@hotline_option
@click.option("--explain", is_flag=True, help="Tell on standard error what was tried, and why there is no answer.")
@click.option("--json", "as_json", is_flag=True, help="Print the decision as a JSON object.")
def lookup(file: Path, phone: str, hotline: str, *, explain: bool, as_json: bool) -> None:
    """Print what OMICall would be told about PHONE."""
    config = _load(file)
    redaction = Redaction(config.secrets)
    set_up_logs("error", "text", redaction)
    service = Service(config)
    started = time.monotonic()

    def tell(line: str) -> None:
        milliseconds = (time.monotonic() - started) * 1000
        click.echo(with_signs(redaction(f"{milliseconds:7.1f} ms  {line}")), err=True)

    try:
        decision = _decide(service, phone, hotline, tell if explain else None)
    finally:
        service.close()
    why = f"{decision.outcome}{f': {decision.reason}' if decision.reason else ''}"
    if explain:
        tell(why)
    elif not decision.extensions:
        click.echo(with_signs(redaction(why)), err=True)
    click.echo(with_signs(redaction(_as_json(decision))) if as_json else decision.body)
    if decision.outcome is Outcome.UNAVAILABLE:
        sys.exit(_UNAVAILABLE)


@main.command()
@config_option
@click.argument("type_name", metavar="[TYPE]", required=False)
def connectors(file: Path, type_name: str | None) -> None:
    """List every connector type, or TYPE alone, with the settings that it needs.

    A TYPE such as my_crm:MyCrm is looked for beside the configuration, too, which need not be valid yet.
    """
    try:
        click.echo("\n\n".join(connector_types.describe(type_name, file.absolute().parent)))
    except ValueError as error:
        raise click.UsageError(str(error)) from None


@main.command()
def schema() -> None:
    """Print the JSON Schema of the configuration, for editors."""
    click.echo(json.dumps(configuration_schema(), indent=2, ensure_ascii=False))


main.add_command(confirm)
main.add_command(console)
main.add_command(decisions)
main.add_command(forget)
main.add_command(reload)
main.add_command(simulate)
main.add_command(template)


def _decide(service: Service, phone: str, hotline: str, tell: Callable[[str], None] | None) -> Decision:
    """Open the connectors as the service does at its start, then take the endpoint's own way."""
    service.extensions.start(writes=False)
    for guard in service.guards.values():
        if tell:
            guard.connector.explain_ahead = partial(_tell_of, tell, guard.name)
        guard.opening.start()
    for guard in service.guards.values():
        trouble = guard.opening.wait(OPENING_PATIENCE)
        if trouble and tell:
            tell(f"{guard.name}: cannot be opened: {trouble}")
    service.extensions.wait_until_ready(time.monotonic() + OPENING_PATIENCE)
    for source in service.extensions.sources:
        if source.failure and tell:
            tell(f"{source.name}: {source.failure}")
    return service.lookup.answer([phone], [hotline], Deadline.after(service.deadline), tell)


def _tell_of(tell: Callable[[str], None], name: str, line: str) -> None:
    tell(f"{name}: {line}")


def _as_json(decision: Decision) -> str:
    fields = {
        "outcome": decision.outcome,
        "body": decision.body,
        "extensions": decision.extensions,
        "answer": decision.freshness,
        "connector": decision.connector,
        "reason": decision.reason,
    }
    return json.dumps(fields, ensure_ascii=False)


def _known_customers(known: Sequence[str], expect: Path | None, region: str) -> tuple[Expectation, ...]:
    """Return whom a check is to ask for beside those of the configuration."""
    try:
        for number in known:
            PhoneNumber.parse(number, region)
    except InvalidNumber as error:
        raise click.UsageError(f"--known {number} is no telephone number: {error}") from None
    try:
        of_the_file = expectations_in(expect, region) if expect else ()
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    return (*of_the_file, *(Expectation(KNOWN, "command line", number) for number in known))


def _load(file: Path, overrides: Mapping[str, object] = NO_OVERRIDES) -> Config:
    try:
        return load_config(file, overrides=overrides)
    except ConfigError as error:
        _refuse(error)


def _refuse(error: ConfigError) -> NoReturn:
    for problem in error.problems:
        click.echo(as_error(str(problem)), err=True)
    sys.exit(_WRONG_CONFIGURATION)
