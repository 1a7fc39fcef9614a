"""A step at its place among the others: what messages call it, and which rows it concerns."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from connectors.rest.config.steps import Step

_PLACEHOLDER = re.compile(r"(\{\{.*?\}\}|\{%.*?%\})+")


@dataclass(frozen=True, slots=True)
class NumberedStep:
    """A step, its number, what messages call it, and which names of a row its templates use."""

    settings: Step
    number: int
    place: str
    wanted: frozenset[str]

    def concerns(self, row: Mapping[str, object]) -> bool:
        """Tell whether the step is made for a row; one that began elsewhere may lack the names that it uses."""
        return row.keys() >= self.wanted


def numbered(steps: Sequence[Step]) -> list[NumberedStep]:
    """Return the steps at their places."""
    taken = frozenset(name for step in steps for name in step.take) - {"login"}
    return [
        NumberedStep(step, number, _place(number, step), taken.intersection(_used(step)) - set(step.for_each))
        for number, step in enumerate(steps, 1)
    ]


def _used(step: Step) -> list[str]:
    """Return the names that the step's templates use of a row, or with `once` of all."""
    return [name.removeprefix("all.") for name in step.names if not step.once or name.startswith("all.")]


def _place(number: int, step: Step) -> str:
    """Return what messages call the step: its number, and its path without what is put into it."""
    path = _PLACEHOLDER.sub("…", step.path.source)
    return f"step {number} ({path})" if path.strip("…") else f"step {number}"
