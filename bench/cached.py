"""What a remembered call costs, against a bare Flask view under the same gunicorn settings.

    python bench/cached.py

Measured in turn in one run: processor time a request, of all threads of the worker, over kept connections and over a
new one each time; the same without a server, in this process; and answers per second. Beside the service there are an
application without Flask and a view that does nothing, and what somebody would write in an hour instead (`script.py`).
"""

import importlib
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import cycle, islice
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from wsgiref.types import WSGIApplication

from figures import table, verdict
from load import answers_per_second, question
from servers import CONFIG, KEY, bare, crm, get, processor_seconds, service
from werkzeug.test import EnvironBuilder, run_wsgi_app

from bridge.config.loading import load_config
from bridge.observability.logs import set_up_logs
from bridge.observability.standard_error import STANDARD_ERROR
from bridge.sdk.secrets import Redaction
from bridge.web.app import create_app

ROUNDS, SECONDS, CALLERS, CALLS = 20, 0.4, 8, 2000
CUSTOMERS = 500
MOST = 1.25
TARGETS = [f"/get_owner_contact_by_phone?phoneNumber=0901{n:06d}&sipNumber=842499950291" for n in range(CUSTOMERS)]
REQUESTS = [question(target, KEY) for target in TARGETS]
BARE, SERVICE = "bare Flask view", "omi-bridge"
KINDS = ("kept connections, µs", "new connections, µs", "in process, µs", "answers/s")

Figures = tuple[float, ...]


def main() -> None:
    with crm() as source, _applications(source) as measures:
        rounds = [{name: measure() for name, measure in measures.items()} for _ in range(ROUNDS)]
    middle = {name: [median(one[name][kind] for one in rounds) for kind in range(len(KINDS))] for name in rounds[0]}
    ratios = {
        name: [median(one[name][kind] / one[BARE][kind] for one in rounds) for kind in range(len(KINDS))]
        for name in middle
    }
    heading = ["", *(text for kind in KINDS for text in (kind, "ratio"))]
    table(heading, [[name, *_cells(middle[name], ratios[name])] for name in middle])
    for kind, ratio in zip(KINDS[:2], ratios[SERVICE], strict=False):
        verdict(f"processor time of a remembered call against a bare view, {kind.split(',')[0]}", ratio, most=MOST)


@contextmanager
def _applications(source: int) -> Iterator[dict[str, Callable[[], Figures]]]:
    """Start all of them, have each asked once for everybody, and give what measures each."""
    os.environ["CRM"] = f"http://127.0.0.1:{source}"
    plain = {"bare WSGI": "bare:wsgi", BARE: "bare:app", "script": "script:app"}
    with (
        bare("bare:wsgi") as wsgi,
        bare("bare:app") as flask,
        bare("script:app", source) as script,
        service(source) as ours,
        _own(source) as own,
    ):
        ports = [wsgi, flask, script, ours]
        here = [*(_loaded(name) for name in plain.values()), own]
        for port, application in zip(ports, here, strict=True):
            assert {get(port, target) for target in TARGETS} == {b"101"}  # from now on, all of them are remembered
            assert set(_answers(application, CUSTOMERS)) == {b"101"}
        names = [*plain, SERVICE]
        yield {
            name: lambda port=port, application=application: _measured(port, application)
            for name, port, application in zip(names, ports, here, strict=True)
        }


def _measured(port: int, application: WSGIApplication) -> Figures:
    kept, rate = _under_load(port, anew=False)
    return kept, _under_load(port, anew=True)[0], _in_process(application), rate


def _under_load(port: int, *, anew: bool) -> tuple[float, float]:
    """Return the processor time of a request in microseconds, and how many are answered in a second."""
    used, start = processor_seconds(port), time.perf_counter()
    rate = answers_per_second(port, REQUESTS, b"101", SECONDS, CALLERS, anew=anew)
    answered = rate * (time.perf_counter() - start)
    return (processor_seconds(port) - used) / answered * 1e6, rate


def _in_process(application: WSGIApplication) -> float:
    """Return the same of a request that no server has to read: of this thread and of those that write behind it."""
    environs = _environs(CALLS)
    started = time.process_time()
    for environ in environs:
        b"".join(application(environ, _ignore))
    return (time.process_time() - started) / CALLS * 1e6


def _ignore(_status: str, _headers: object, _error: object = None, /) -> Callable[[bytes], object]:
    return len


def _answers(application: WSGIApplication, calls: int) -> Iterator[bytes]:
    for environ in _environs(calls):
        yield b"".join(run_wsgi_app(application, environ)[0])


def _environs(calls: int) -> list[dict[str, object]]:
    made = [_environ(target) for target in TARGETS]
    return [dict(environ) for environ in islice(cycle(made), calls)]


def _environ(target: str) -> dict[str, object]:
    return EnvironBuilder(target, headers={"X-API-KEY": KEY}).get_environ()


def _loaded(name: str) -> WSGIApplication:
    module, _, attribute = name.partition(":")
    application: WSGIApplication = getattr(importlib.import_module(module), attribute)
    return application


@contextmanager
def _own(source: int) -> Iterator[WSGIApplication]:
    """Have the service's application in this process, with its log in a file."""
    with TemporaryDirectory() as folder, Path(folder, "log").open("wb") as log:
        file = Path(folder, "config.yaml")
        file.write_text(CONFIG.format(key=KEY, crm=source, log_level="info"), encoding="utf-8")
        STANDARD_ERROR.descriptor = log.fileno()
        STANDARD_ERROR.write_behind()
        set_up_logs("info", "text", Redaction([KEY]))
        app = create_app(load_config(file))
        yield app
        app.extensions["omi_bridge"].close()
        STANDARD_ERROR.flush()
        STANDARD_ERROR.descriptor = 2


def _cells(figures: list[float], ratios: list[float]) -> Iterator[str]:
    for figure, ratio in zip(figures, ratios, strict=True):
        yield f"{figure:.0f}"
        yield f"{ratio:.2f}"


if __name__ == "__main__":
    main()
