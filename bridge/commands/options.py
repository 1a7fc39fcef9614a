"""What several commands take on the command line."""

import os
import re
import shlex
from datetime import date, datetime
from pathlib import Path

import click

from bridge.config.cores import parse_workers
from bridge.config.loading import Config
from bridge.config.moments import parse_point
from bridge.sdk.errors import InvalidNumber
from bridge.sdk.phone.number import PhoneNumber
from bridge.sdk.phone.spelling import dialled
from bridge.sdk.settings import parse_duration

_DIGITS = re.compile(r"[+0-9 ().-]+", re.ASCII)

config_option = click.option(
    "-c",
    "--config",
    "file",
    type=click.Path(dir_okay=False, path_type=Path),
    default=lambda: os.environ.get("OMI_BRIDGE_CONFIG") or "config.yaml",
    help="Configuration file. Default: $OMI_BRIDGE_CONFIG, then ./config.yaml.",
)


expect_option = click.option(
    "--expect",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Known customers and what must come: YAML with 'expect:', or CSV with rows such as 0901234567,101:102",
)


class Processes(click.IntRange):
    """A number of processes, or `auto`."""

    name = "1-64 or auto"

    def __init__(self) -> None:
        super().__init__(1, 64)

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the number. Raises BadParameter if it is none."""
        return super().convert(parse_workers(value), param, ctx)  # type: ignore[arg-type]  # it reads texts


class PlainCommand(click.Command):
    """A command that says of words too many what to write instead."""

    allow_extra_args = True

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the command line. Raises UsageError if a word is left over."""
        rest = super().parse_args(ctx, args)
        if ctx.args:
            given = [str(ctx.params[param.name]) for param in self.params if isinstance(param, click.Argument)]
            raise click.UsageError(self._too_many([*given, *ctx.args], ctx), ctx)
        return rest

    @staticmethod
    def _too_many(words: list[str], ctx: click.Context) -> str:
        if file := next((word for word in words if word.endswith((".yaml", ".yml")) or Path(word).is_file()), None):
            return f"the configuration is named with -c: {ctx.command_path} -c {shlex.quote(file)}"
        if len(words) > len(ctx.args) and _DIGITS.fullmatch("".join(words)):
            return f"a number with blanks stands in quotes: {ctx.command_path} '{' '.join(words)}'"
        return f"nothing is known of what stands last: {shlex.join(ctx.args)}"


def _told_if_no_number(_ctx: click.Context, _param: click.Parameter, text: str) -> str:
    """Pass on what OMICall might send as well, and warn of what is no number."""
    try:
        if text:
            dialled(text)
    except InvalidNumber as error:
        click.echo(f"--hotline {text} is no telephone number, and counts as an unknown one: {error}", err=True)
    return text


hotline_option = click.option("--hotline", default="", callback=_told_if_no_number, help="The number that was dialled.")


class _Duration(click.ParamType[float]):
    name = "duration"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        try:
            return parse_duration(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


DURATION = _Duration()
"""A duration as the configuration writes it, in seconds."""


class _Moment(click.ParamType[date]):
    name = "moment"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> date:
        try:
            return value if isinstance(value, date) else parse_point(str(value), datetime.now())  # noqa: DTZ005 - local
        except ValueError as error:
            self.fail(f"{value}: {error}", param, ctx)


MOMENT = _Moment()
"""A day, or a moment, in local time."""


def caller_in(text: str, config: Config, what: str) -> PhoneNumber:
    """Return the number that `what` on the command line gives. Raises UsageError if it is none."""
    try:
        return PhoneNumber.parse(text, config.settings.phone.region)
    except InvalidNumber as error:
        raise click.UsageError(f"{what} is no telephone number: {error}") from None
