"""A validator of somebody's settings that crashes is told, with what to raise instead."""

import pytest
from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from bridge.testing.conformance.strictness import must_be_strict, must_show_no_secret


class CrashesOnAnUnknownKey(BaseModel):
    token: str = ""

    @model_validator(mode="before")
    @classmethod
    def _first(cls, written):
        return {"token": written["token"]}


class CrashesOnAnotherType(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    token: SecretStr = Field(default=SecretStr(""))

    @field_validator("token", mode="before")
    @classmethod
    def _upper(cls, written):
        return written.upper()


def test_settings_that_crash_on_an_unknown_key_are_told():
    with pytest.raises(pytest.fail.Exception, match=r"CrashesOnAnUnknownKey raised KeyError.*: raise ValueError"):
        must_be_strict(CrashesOnAnUnknownKey)


def test_settings_that_crash_on_another_type_are_told():
    with pytest.raises(pytest.fail.Exception, match=r"a validator raised AttributeError.*: raise ValueError"):
        must_show_no_secret(object(), CrashesOnAnotherType(), "planted")
