"""What somebody may do from the console: forget one caller, believe a list that is doubted.

Both do what the commands `forget` and `confirm` do. A caller is forgotten by a process of its own, as the command is
one: the files that have to be cleared are open here.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from bridge.config.loading import Config
from bridge.insight.client import AnswerRefused
from bridge.insight.line_mask import LineMask
from bridge.insight.turns import take_turn
from bridge.sdk.disk.list_state import ListState
from bridge.sdk.errors import InvalidNumber
from bridge.sdk.phone.number import PhoneNumber
from bridge.sdk.shared import Turns
from bridge.service import Service

PER_MINUTE = 5
"""How many callers may be forgotten in a minute."""

PATIENCE = 30.0
"""Seconds that forgetting may take, which may have to wait for files and for a Redis."""

_LONGEST = 64


class Forgetter:
    """Forgets callers, by the configuration of the service in force; `turns` count all processes'."""

    def __init__(self, current: Callable[[], Service], mask: LineMask, turns: Turns) -> None:
        self._current = current
        self._mask = mask
        self._turns = turns

    def answer(self, question: Mapping[str, Any]) -> Mapping[str, object]:
        """Forget `number`; say what came of each part.

        Raises AnswerRefused with `wrong-number`, `forget-often` or `not-forgotten`.
        """
        config = self._current().config
        try:
            caller = PhoneNumber.parse(str(question.get("number", ""))[:_LONGEST], config.settings.phone.region)
        except InvalidNumber:
            raise AnswerRefused("wrong-number") from None
        take_turn(self._turns, PER_MINUTE, "forget-often")
        found = _forgotten(config, caller)
        return {
            "caller": caller.masked,
            "parts": [{**one, "told": self._mask(str(one["told"]), caller)} for one in found["parts"]],
            "left": [self._mask(line, caller) for line in found["left"]],
        }


class Doubts:
    """Tells which lists the service in force doubts, and believes one that somebody has looked at."""

    def __init__(self, current: Callable[[], Service], mask: LineMask) -> None:
        self._current = current
        self._mask = mask

    def answer(self, _question: Mapping[str, Any]) -> list[Mapping[str, str]]:
        """Return the lists that are doubted, and what is said of each."""
        return [{"name": kept.name, "told": self._mask(kept.doubted)} for kept in self._doubted()]

    def confirm(self, question: Mapping[str, Any]) -> Mapping[str, str]:
        """Believe the list `name`, if it is still that of which is `told`.

        Raises AnswerRefused with `not-doubted` or `not-confirmed`.
        """
        for kept in self._doubted():
            told = self._mask(kept.doubted)
            if kept.name == question.get("name") and told == question.get("told"):
                try:
                    confirmed = kept.confirm()
                except OSError:
                    raise AnswerRefused("not-confirmed") from None
                if confirmed:
                    return {"name": kept.name, "told": self._mask(confirmed)}
        raise AnswerRefused("not-doubted")

    def _doubted(self) -> Iterator[ListState]:
        yield from (kept for kept in self._current().list_states() if kept.doubted and not kept.is_confirmed())


def _forgotten(config: Config, caller: PhoneNumber) -> Any:  # noqa: ANN401 - any JSON
    content = config.content.to_bytes().decode("utf-8", "surrogatepass")
    said = {"file": str(config.file), "overrides": dict(config.overrides), "content": content, "caller": caller.e164}
    try:
        child = subprocess.run(
            [sys.executable, "-m", "bridge.insight.forget_child"],
            input=json.dumps(said).encode(),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, **config.content.variables},
            timeout=PATIENCE,
            check=True,
        )
        return json.loads(child.stdout.splitlines()[-1])
    except (OSError, subprocess.SubprocessError, ValueError, IndexError):
        raise AnswerRefused("not-forgotten") from None
