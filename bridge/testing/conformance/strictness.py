"""What settings have to be like, those of a connector and those of a list of extensions."""

from pydantic import BaseModel, ValidationError

from bridge.testing.conformance.outcome import complain, told
from bridge.testing.conformance.planted import holds_secret

_SECRETS = ("password", "secret", "token", "api_key")
"""What the names of settings end with that nobody may see."""


def must_be_strict(settings: type[BaseModel]) -> None:
    """Complain unless a key that is not known is refused: a typo must not pass for a setting."""
    try:
        settings.model_validate({"no_such_key": 1})
    except ValidationError as error:
        refused = any(problem["loc"] == ("no_such_key",) for problem in error.errors())
    except Exception as error:  # noqa: BLE001 - a stranger's code
        complain(f"settings with an unknown key: {settings.__name__} raised {told(error)}: raise ValueError")
    else:
        refused = False
    if not refused and settings.model_config.get("extra") != "forbid":
        complain(f'{settings.__name__} accepts an unknown key: leave model_config with extra="forbid"')


def must_show_no_secret(thing: object, config: BaseModel, secret: str) -> None:
    """Complain if whoever has them shows a secret, or an error in them repeats what was written."""
    settings = type(config)
    for name, field in settings.model_fields.items():
        if name.endswith(_SECRETS) and field.annotation in {str, str | None}:
            complain(f"{settings.__name__}.{name} is shown wherever the settings are: its type has to be SecretStr")
    if holds_secret(f"{config!r} {config} {thing!r}", secret):
        complain(f"the settings show the secret: its type in {settings.__name__} has to be SecretStr")
    wrong = {field.alias or name: {"": secret} for name, field in settings.model_fields.items()}
    try:
        settings.model_validate(wrong)
    except ValidationError as error:
        if holds_secret(str(error), secret):
            complain(
                f"an error in the settings repeats what was written, which may be a secret: leave model_config of "
                f"{settings.__name__} with hide_input_in_errors=True, and no value in a validator's message"
            )
    except Exception as error:  # noqa: BLE001 - a stranger's code
        complain(f"settings of another type: a validator raised {told(error)}: raise ValueError")
