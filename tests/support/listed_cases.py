"""A preset's recorded cases played by its list: what a search answered for the caller is what the list holds.

The list asks in other words than a search. So a request is known by what it is for, its path and the module or model
that it names, and answered by all that the case's searches of that kind have found; an error comes before that, once
for each time that it was recorded, and always if nothing else was.
"""

import json
import re
from contextlib import ExitStack
from typing import Any

from bridge.sdk import Owner, PhoneNumber, SourceError
from connectors.presets.connector import PresetConfig
from connectors.rest.connector import RestConnector
from tests.support.cases import Case, Cases, hosts_of, turned
from tests.support.exchanges import Answer, Exchange, Received
from tests.support.reading_ahead import owners_read_ahead
from tests.support.servers import HttpServer, Reply

NOT_LISTED = "not among the customers, so the CRM is asked"
_MODULE = re.compile(r"\bFROM (\w+)|\"(res\.\w+)\"")
_LISTS = ("list", "data", "result")


def play_by_list(kind: type[RestConnector], cases: Cases, case: Case) -> list[Owner] | str:
    """Return whom the customers read ahead name for the caller, the reason of a failure, or NOT_LISTED."""
    assert issubclass(kind.Config, PresetConfig)
    early = [one for one in case.exchanges if one.when == "open"]
    script = _Listed(
        early or (cases.open if case.open is None else case.open), [one for one in case.exchanges if one.when == "call"]
    )
    whole = kind.Config.preset.complete({**cases.settings, **case.settings, "snapshot": {"every": "10m"}})
    with ExitStack() as servers:
        there: dict[str, str] = {}
        for host in sorted(set(hosts_of(whole))):
            server = servers.enter_context(HttpServer(lambda asked, at=host: script.reply(Received(asked, at, there))))
            there[server.url] = host
        made = kind(kind.Config.model_validate(turned(whole, {host: url for url, host in there.items()})))
        servers.callback(made.close)
        return _said(made, script, PhoneNumber.parse(case.caller))


def _said(made: RestConnector, script: "_Listed", caller: PhoneNumber) -> list[Owner] | str:
    try:
        made.open()
        script.is_open = True
        found = owners_read_ahead(made, caller)
    except SourceError as error:
        return error.reason
    return NOT_LISTED if found is None else found


class _Listed:
    def __init__(self, opening: list[Exchange], calling: list[Exchange]) -> None:
        self.is_open = False
        self._opening = opening
        self._again = [one for one in calling if one.expect in [opened.expect for opened in opening]]
        """What is asked at the beginning, and once more when the sign-in has ended."""
        calling = [one for one in calling if one not in self._again]
        self._errors = [one for one in calling if _is_error(one.answer)]
        self._goods = [one for one in calling if not _is_error(one.answer)]

    def reply(self, received: Received) -> Reply:
        again = [one for one in self._again if not list(received.differences(one.expect))] if self.is_open else []
        for one in [*again, *self._opening]:
            if not list(received.differences(one.expect)):
                return one.answer.reply()
        kind = _kind(received.method, received.path, [received.query, received.json])
        errors = [one for one in self._errors if _fits(one, kind)]
        goods = [one for one in self._goods if _fits(one, kind)]
        if errors:
            if goods or len(errors) > 1:
                self._errors.remove(errors[0])
            return errors[0].answer.reply()
        if not goods:
            return Answer(json=_empty(received)).reply()
        return Answer(json=_together([one.answer.body for one in goods])).reply()


def _is_error(answer: Answer) -> bool:
    body = answer.body
    return answer.status != 200 or (
        isinstance(body, dict) and (bool(body.get("error")) or body.get("success") is False)
    )


def _fits(exchange: Exchange, kind: tuple[str, str, str]) -> bool:
    """Tell whether a case's request is of this kind; one that names no module may be of any."""
    expect = exchange.expect
    method, path, module = _kind(expect.method, expect.path, [expect.query, expect.body])
    return (method, path) == kind[:2] and module in ("", kind[2])


def _kind(method: str, path: str, said: object) -> tuple[str, str, str]:
    found = _MODULE.search(json.dumps(said))
    return method, path, (found[1] or found[2] or "") if found else ""


def _together(bodies: list[Any]) -> Any:
    """Return an answer with the records of all."""
    key = next((name for name in _LISTS if isinstance(bodies[0], dict) and isinstance(bodies[0].get(name), list)), None)
    if key is None and not isinstance(bodies[0], list):
        return bodies[-1]
    records: list[Any] = []
    for body in bodies:
        records += [one for one in (body[key] if key else body) if one not in records]
    return {**bodies[0], key: records} if key else records


def _empty(received: Received) -> Any:
    """Return what a CRM answers that has nobody: what was not asked in the case, for somebody was found before."""
    if "webservice" in received.path or "jsonrpc" in received.path:
        return {"success": True, "result": []}
    return []
