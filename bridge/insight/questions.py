"""All that the console may ask, put together from the parts of the running service."""

import sqlite3
from collections.abc import Callable, Mapping
from datetime import datetime

from bridge.insight.calls import RecentCalls
from bridge.insight.client import AnswerRefused
from bridge.insight.configuration import ConfigurationView
from bridge.insight.directory import DirectoryView
from bridge.insight.figures import figures_of_today
from bridge.insight.line_mask import LineMask
from bridge.insight.seen import SeenByAll
from bridge.insight.server import InsightSocket
from bridge.insight.set_up import lines, presets
from bridge.insight.shadow_run import PER_MINUTE as TRIED_ON_PER_MINUTE
from bridge.insight.shadow_run import Shadow, ShadowRun
from bridge.insight.sources import PER_MINUTE as TRIED_PER_MINUTE
from bridge.insight.sources import KnowsCalls, Page, Sources
from bridge.insight.trace import PER_MINUTE, Hear, Tracer
from bridge.insight.upkeep import PER_MINUTE as FORGOTTEN_PER_MINUTE
from bridge.insight.upkeep import Doubts, Forgetter
from bridge.sdk.secrets import Redaction
from bridge.service import Service
from bridge.storage.machine import MachineMemory


def insight_of(  # noqa: PLR0913 - all of which the console is told
    current: Callable[[], Service],
    page: Page,
    hear: Hear,
    redaction: Redaction,
    memory: MachineMemory,
    *,
    incoming: KnowsCalls,
    seen: SeenByAll,
    shadow: Shadow,
) -> InsightSocket:
    """Make what tells of the service that `current` gives, while its configuration has a section `console`.

    With `shadow` a change is tried.
    """
    mask = LineMask(redaction)
    tracer = Tracer(current, hear, mask, memory.turns("traces by hand", PER_MINUTE, 60.0))
    forgetter = Forgetter(current, mask, memory.turns("forgotten by hand", FORGOTTEN_PER_MINUTE, 60.0))
    doubts = Doubts(current, mask)
    sources = Sources(current, page, mask, memory.turns("trials by hand", TRIED_PER_MINUTE, 60.0), seen, incoming)
    shadow_run = ShadowRun(current, shadow, mask, memory.turns("shadow runs by hand", TRIED_ON_PER_MINUTE, 60.0))
    calls = RecentCalls(current, incoming.last_refused, mask)

    def figures(_question: Mapping[str, object]) -> Mapping[str, object]:
        try:
            found = figures_of_today(current().config.decisions_file, datetime.now().astimezone())
        except sqlite3.Error:
            raise AnswerRefused("no-decisions") from None
        return {**found, "deadline": current().deadline, "network": page()["network"]}

    return InsightSocket(
        current().config.file,
        lambda: current().config.settings.console is not None,
        {
            "sources": sources.answer,
            "figures": figures,
            "calls": calls.answer,
            "doubts": doubts.answer,
            "presets": presets,
            "region": lambda _question: {"region": current().config.settings.phone.region},
        },
        {
            "trace": tracer.answer,
            "directory": DirectoryView(current, mask).answer,
            "configuration": ConfigurationView(current, mask).answer,
            "forget": forgetter.answer,
            "confirm": doubts.confirm,
            "try": sources.try_now,
            "lines": lines,
            "shadow": shadow_run.answer,
        },
    )
