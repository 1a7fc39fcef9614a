"""Complaints about the settings that belong to a place below the model that finds them."""

from pydantic import ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError


def located(place: tuple[str | int, ...], problem: str) -> ValidationError:
    """Return the complaint as pydantic collects it: `place` leads from the model that raises it to the key."""
    error = PydanticCustomError("located", "{problem}", {"problem": problem})
    return ValidationError.from_exception_data(
        "settings", [InitErrorDetails(type=error, loc=place, input=None)], hide_input=True
    )
