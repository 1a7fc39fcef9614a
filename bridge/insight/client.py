"""The asking side: knows nothing of the service but its address."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bridge.local.address import ServiceUnreachable, ask

PURPOSE = "insight-"
"""Tells this address of a service from the one that takes wishes to reload."""

CALLS_SOUGHT_BY = ("number", "owner", "extension", "hotline", "outcome", "day")
"""By what the question `calls` may narrow them."""

_PATIENCE = 5.0
_LONGER = {"directory": 45.0, "configuration": 20.0, "forget": 35.0, "presets": 30.0, "lines": 30.0, "shadow": 55.0}
"""Seconds for an answer for which all sources may have to be asked or opened, plug-ins loaded, or a file waited for."""


class ServiceSlow(ServiceUnreachable):
    """The service is there, and has not answered in time."""


class AnswerRefused(Exception):
    """The service answers something else than what was asked for; the message is a word that says why."""


def ask_service(config: Path, question: Mapping[str, object]) -> Any:  # noqa: ANN401 - any JSON
    """Return what the running service with this configuration answers.

    Raises ServiceUnreachable, which ServiceSlow is one of, and AnswerRefused if it does not answer this question, or
    not now.
    """
    patience = _LONGER.get(str(question.get("ask")), _PATIENCE)
    try:
        packet = ask(config, question, patience, purpose=PURPOSE)
    except TimeoutError:
        raise ServiceSlow(f"the service has not answered within {patience:g} s") from None
    if packet is None:
        raise ServiceUnreachable("the service has just ended")
    if refused := packet.said.get("refused"):
        raise AnswerRefused(refused)
    return json.loads(packet.beside)
