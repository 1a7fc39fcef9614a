"""What a vendor's API description says about requests, in our own extract: `tests/presets/descriptions/*.yaml`.

source: repository@commit path
operations:
  - method: POST
    path: /crm/v3/objects/{kind}/search      # {…} stands for one segment
    query: {limit: {type: integer}}          # every parameter that is allowed, with its JSON Schema
    required: [limit]                        # parameters that must be there
    json: {type: object, …}                  # JSON Schema of the body; `form` is that of the form's fields
"""

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, Literal, Protocol

import yaml
from jsonschema import Draft202012Validator
from pydantic import BaseModel, ConfigDict, Field


class Request(Protocol):
    """A request as it came."""

    method: str
    path: str
    query: dict[str, Any]
    json: Any
    form: dict[str, Any] | None


class Operation(BaseModel):
    """One method of one path."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    method: Literal["GET", "POST"]
    path: str
    query: dict[str, dict[str, Any]] = {}
    required: list[str] = []
    body: dict[str, Any] | None = Field(default=None, alias="json")
    form: dict[str, Any] | None = None

    def is_meant(self, request: Request) -> bool:
        """Tell whether the request is one of this operation."""
        pattern = "".join("[^/]+" if part[:1] == "{" else re.escape(part) for part in re.split(r"(\{\w+\})", self.path))
        return request.method == self.method and re.fullmatch(pattern, request.path) is not None

    def faults(self, request: Request) -> Iterator[str]:
        """Say what is wrong with the request."""
        query = {"properties": self.query, "required": self.required, "additionalProperties": False}
        for what, came, schema in (
            ("query", _typed(request.query, self.query), query),
            ("json", request.json, self.body if self.body is not None else {"type": "null"}),
            ("form", request.form, self.form if self.form is not None else {"type": "null"}),
        ):
            for error in Draft202012Validator(schema).iter_errors(came):
                yield f"  {what}{error.json_path[1:]}: {error.message}"


class Description(BaseModel):
    """All operations that a preset uses."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    source: str = Field(min_length=10)
    operations: list[Operation] = Field(min_length=1)

    def faults(self, request: Request) -> list[str]:
        """Say in words what the description does not allow."""
        meant = [operation for operation in self.operations if operation.is_meant(request)]
        if not meant:
            return [f"the API description knows no {request.method} {request.path}"]
        told = list(meant[0].faults(request))
        return [f"not as the API description says: {request.method} {request.path}", *told] if told else []


@cache
def read_description(file: Path) -> Description | None:
    """Read a description; None if there is none."""
    return Description.model_validate(yaml.safe_load(file.read_text(encoding="utf-8"))) if file.is_file() else None


def _typed(query: dict[str, Any], schemas: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Read the texts of a query as what they are said to be."""
    return {name: _value(value, schemas.get(name, {}).get("type")) for name, value in query.items()}


def _value(text: Any, kind: object) -> Any:
    if kind in {"integer", "number", "boolean"}:
        with suppress(ValueError, TypeError):
            return json.loads(text)
    return [text] if kind == "array" and isinstance(text, str) else text
