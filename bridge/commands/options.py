"""What several commands take on the command line."""

import os
from pathlib import Path

import click

from bridge.sdk.settings import parse_duration

config_option = click.option(
    "-c",
    "--config",
    "file",
    type=click.Path(dir_okay=False, path_type=Path),
    default=lambda: os.environ.get("OMI_BRIDGE_CONFIG") or "config.yaml",
    help="Configuration file. Default: $OMI_BRIDGE_CONFIG, then ./config.yaml.",
)


class _Duration(click.ParamType[float]):
    name = "duration"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        try:
            return parse_duration(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


DURATION = _Duration()
"""A duration as the configuration writes it, in seconds."""
