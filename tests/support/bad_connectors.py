"""Connectors with the bugs that people make."""

import sys

from pydantic import field_validator

from bridge.sdk import ConnectorConfig
from tests.support.fakes import FakeConnector


class ValidatorConfig(ConnectorConfig):
    url: str = ""

    @field_validator("url", mode="before")
    @classmethod
    def _slip(cls, value: str) -> str:
        return {}[value]


class BuggyValidator(FakeConnector):
    Config = ValidatorConfig


class TimelessConfig(ConnectorConfig):
    timeout: None = None


class Timeless(FakeConnector):
    Config = TimelessConfig


class InitFails(FakeConnector):
    def __init__(self, _config) -> None:
        raise ValueError("cannot be made")


class InitExits(FakeConnector):
    def __init__(self, _config) -> None:
        sys.exit(4)


class InitForgetsSuper(FakeConnector):
    def __init__(self, _config) -> None:
        pass
