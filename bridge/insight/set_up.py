"""The first lines of a configuration: for which CRMs there is a preset, what each needs, and what of it is wrong.

Nothing is asked of any CRM and nothing is written. The lines are checked as a file is that `omi-bridge check` gets. No
secret is told here: the lines name the variables of the environment in which the secrets are to stand.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from bridge.config.content import Content
from bridge.config.loading import load_config
from bridge.config.plugins import CONNECTORS, connector_class, installed_types
from bridge.insight.client import AnswerRefused
from bridge.sdk.errors import ConfigError

_LONGEST = 500
_PLACE = ("connectors", "crm")
_VARIABLE = re.compile(r"\$\{(\w+)\}")
_IN_ITS_PLACE = "x" * 32
"""What stands for a secret while the lines are checked."""


def presets(_question: Mapping[str, object]) -> Mapping[str, object]:
    """Return each preset with what it needs, in the order of the CRMs' names."""
    told = [
        {
            "type": name,
            "name": preset.name,
            "proven": preset.proven,
            "needs": [
                {
                    "key": key,
                    "help": need.help,
                    "example": need.example,
                    "secret": need.secret,
                    "choices": list(need.choices),
                    "default": need.default,
                }
                for key, need in preset.needs.items()
            ],
        }
        for name, preset in _presets().items()
    ]
    return {"presets": sorted(told, key=lambda one: str(one["name"]).lower())}


def lines(question: Mapping[str, Any]) -> Mapping[str, object]:
    """Return the lines for a preset with these `values`, and what is wrong with them, by key.

    Raises AnswerRefused with `unknown-preset`.
    """
    name, values = str(question.get("type")), question.get("values")
    preset = _presets().get(name)
    if preset is None or not isinstance(values, dict):
        raise AnswerRefused("unknown-preset")
    given = {key: str(values.get(key, ""))[:_LONGEST].strip() for key, need in preset.needs.items() if not need.secret}
    settings = {"type": name} | {
        key: need.example if need.secret else given[key]
        for key, need in preset.needs.items()
        if need.secret or given[key]
    }
    text = yaml.safe_dump({_PLACE[0]: {_PLACE[1]: settings}}, allow_unicode=True, sort_keys=False)
    variables = list(dict.fromkeys(found for need in preset.needs.values() for found in _variables(need)))
    problems: list[Mapping[str, str]] = [
        {"key": key, "text": "write it as it is, without ${…}"} for key, value in given.items() if "${" in value
    ]
    problems = problems or list(_problems(text, variables))
    return {"yaml": text, "variables": variables, "problems": problems}


@cache
def _presets() -> Mapping[str, Any]:
    """Return the presets by their types; one that a package brings and that cannot be used is none."""
    found = {}
    for name in installed_types(CONNECTORS):
        try:
            preset = getattr(connector_class(name).Config, "preset", None)
        except ValueError:
            continue
        if preset is not None:
            found[name] = preset
    return found


def _variables(need: Any) -> Iterator[str]:  # noqa: ANN401 - a connector's own
    if need.secret:
        yield from _VARIABLE.findall(need.example)


def _problems(text: str, variables: list[str]) -> Iterator[Mapping[str, str]]:
    known = dict.fromkeys(variables, _IN_ITS_PLACE)
    content = Content(f"api_keys: [{_IN_ITS_PLACE}]\n{text}".encode(), {}, known)
    try:
        load_config(Path("config.yaml"), known, content=content)
    except ConfigError as error:
        for problem in error.problems:
            yield {"key": problem.key.removeprefix(f"{'.'.join(_PLACE)}."), "text": problem.message}
