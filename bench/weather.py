"""How many callers never seen before are answered in time by a CRM that limps, and how soon after it is well again.

    python bench/weather.py

omi-bridge stands beside what somebody writes in an hour (`script.py`, Flask with requests and a TTLCache) and nginx's
proxy_cache, each before a CRM of its own (`limping_crm.py`). In each weather the three are asked in turn by the same
load; a caller is answered if the right answer is there within the two seconds that OMICall waits.
"""

import getpass
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from figures import table
from load import Planned, Seen, call, question
from servers import KEY, _end, _free_port, _running

SECONDS, LIMIT, TTL, KNOWN = 5.0, 2.0, 2, 100
BEFORE, FAULT, AFTER = 1.0, 4.0, 3.0  # seconds of a row that shows a recovery
_HERE = Path(__file__).resolve().parent
_OWNER = b'"owner": "7"}]}'
_BRIDGE = """
api_keys: [{key}]
cache: {{ttl: {ttl}s}}
connectors:
  crm:
    type: rest
    base_url: http://127.0.0.1:{crm}
    steps:
      - path: owner
        query: {{phone: "{{{{ caller.national }}}}"}}
        records: records
        match: [phone]
        take: {{owner_id: owner, name: name}}
extensions:
  inline: {{"7": 101}}
"""
_SCRIPT = """
def post_worker_init(worker):
    import cachetools, script
    script.known = cachetools.TTLCache(maxsize=100_000, ttl={ttl})
"""
_NGINX = """
user {user};
daemon off;
pid nginx.pid;
error_log error.log;
worker_processes 2;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    proxy_cache_path cache keys_zone=answers:10m;
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass http://127.0.0.1:{crm}/owner?phone=$arg_phoneNumber;
            proxy_cache answers;
            proxy_cache_key $arg_phoneNumber;
            proxy_cache_valid 200 {ttl}s;
            proxy_cache_use_stale error timeout updating http_500 http_429;
            proxy_cache_background_update on;
            proxy_cache_lock on;
            proxy_connect_timeout 1800ms;
            proxy_read_timeout 1800ms;
        }}
    }}
}}
"""
_chance, _numbers = Random(1), count()


@dataclass(frozen=True)
class Weather:
    """What the CRM does, as `limping_crm.py` calls it; how many a second call, new and known; what is to be reached."""

    says: str
    name: str
    new: float
    known: float = 0.0
    least: float = 0.0


WEATHERS = (
    Weather("300 ms at the median, 1.5 s at p99; 50 new callers/s", "slow", 50, least=0.99),
    Weather("1 s for every answer; 20 new/s beside 100 known/s", "a second", 20, 100, 0.90),
    Weather("half of the requests answered 500; 20 new/s", "half 500", 20, least=0.95),
    Weather("half of the requests never answered; 20 new/s", "half silent", 20, least=0.80),
    Weather("broken UTF-8 in a name; 20 new/s", "broken name", 20, least=1.0),
)
RECOVERIES = ("three seconds", "dripping", "length left open", "queue full")


class LimpingCrm:
    """One such CRM, seen from here."""

    def __init__(self) -> None:
        command = [sys.executable, str(_HERE / "limping_crm.py")]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout
        self.port, control = map(int, self.process.stdout.readline().split())
        self._line = socket.create_connection(("127.0.0.1", control)).makefile("rwb")

    def become(self, weather: str) -> None:
        """Let the weather be so from now on."""
        self._line.write(json.dumps(weather).encode() + b"\n")
        self._line.flush()
        self._line.readline()


@dataclass(frozen=True)
class Peer:
    """One of the three, before its CRM; `ends_with` is how its right answer ends."""

    name: str
    port: int
    crm: LimpingCrm
    ends_with: bytes


def main() -> None:
    with _peers() as peers:
        print(f"new callers answered right within {LIMIT:g} s, %; {SECONDS:g} s each in turn")
        rows = [_row(weather, peers) for weather in WEATHERS]
        table(["the CRM", *_STARTED, "to reach", "known: omi-bridge"], rows)
    print(f"seconds from the end of {FAULT:g} s of it to the first right answer to a new caller with none wrong behind")
    rows = []
    for name in RECOVERIES:
        with _peers() as peers:  # anew: what hung in one row may hang for ever
            rows.append(_recovery(name, peers))
    table(["the CRM", *_STARTED, "to reach"], rows)


def _row(weather: Weather, peers: Sequence[Peer]) -> list[str]:
    shares, known = [], "-"
    for peer in peers:
        seen = _during(weather, peer)
        shares.append(_share([one for one in seen if one.kind == "new"]))
        if weather.known:
            known = f"{100 * _share([one for one in seen if one.kind == 'known']):.1f}"
    reached = f"{100 * weather.least:g} {'PASS' if shares[-1] >= weather.least else 'short'}"
    return [weather.says, *(f"{100 * share:.1f}" for share in shares), reached, known]


def _during(weather: Weather, peer: Peer) -> list[Seen]:
    """Return what callers saw in this weather; before it the CRM is well, and the known ones are answered once."""
    peer.crm.become("well")
    known = [_stranger() for _ in range(KNOWN)]
    call(peer.port, [_planned(peer, number / 100, phone, "before") for number, phone in enumerate(known)])
    peer.crm.become(weather.name)
    plan = [_planned(peer, at, _stranger(), "new") for at in _moments(weather.new)]
    plan += [_planned(peer, at, _chance.choice(known), "known") for at in _moments(weather.known)]
    return call(peer.port, sorted(plan, key=lambda planned: planned.at))


def _recovery(name: str, peers: Sequence[Peer]) -> list[str]:
    """Return how long each takes, all at the same time."""
    seconds: dict[str, float] = {}
    threads = [threading.Thread(target=lambda p=peer: seconds.update({p.name: _recovered(name, p)})) for peer in peers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    shown = [seconds[peer.name] for peer in peers]
    return [name, *(f"{one:.2f}" for one in shown), f"2 {'PASS' if shown[-1] <= 2 else 'short'}"]


def _recovered(name: str, peer: Peer) -> float:
    peer.crm.become("well")
    moments = [number / 20 for number in range(int((BEFORE + FAULT + AFTER) * 20))]
    for after, weather in ((BEFORE, name), (BEFORE + FAULT, "well")):
        threading.Timer(after, peer.crm.become, (weather,)).start()
    seen = call(peer.port, [_planned(peer, at, _stranger(), f"{at}") for at in moments])
    later = sorted((float(one.kind), one) for one in seen if float(one.kind) > BEFORE + FAULT)
    bad = [index for index, (_, one) in enumerate(later) if not _is_answered(one)]
    following = later[bad[-1] + 1 :] if bad else later
    return following[0][0] + following[0][1].seconds - BEFORE - FAULT if following else float("inf")


def _is_answered(seen: Seen) -> bool:
    return seen.right and seen.seconds <= LIMIT


def _share(seen: Sequence[Seen]) -> float:
    return sum(map(_is_answered, seen)) / len(seen)


def _moments(rate: float) -> list[float]:
    """Return random moments, as people call."""
    return [_chance.uniform(0, SECONDS) for _ in range(int(rate * SECONDS))]


def _stranger() -> str:
    return f"0912{next(_numbers):06d}"


def _planned(peer: Peer, at: float, phone: str, kind: str) -> Planned:
    target = f"/get_owner_contact_by_phone?phoneNumber={phone}&sipNumber=842499950291"
    return Planned(at, question(target, KEY), peer.ends_with, kind)


@contextmanager
def _peers() -> Iterator[list[Peer]]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        yield [stack.enter_context(_peer(name, folder)) for name in _STARTED]


@contextmanager
def _peer(name: str, folder: Path) -> Iterator[Peer]:
    crm, port, place = LimpingCrm(), _free_port(), folder / name
    place.mkdir()
    try:
        with _STARTED[name](crm.port, port, place):
            yield Peer(name, port, crm, _OWNER if name == "nginx" else b"101")
    finally:
        _end(crm.process)


@contextmanager
def _bridge(crm: int, port: int, place: Path) -> Iterator[None]:
    config = place / "config.yaml"
    config.write_text(_BRIDGE.format(key=KEY, crm=crm, ttl=TTL), encoding="utf-8")
    command = ["-m", "bridge", "serve", "-c", str(config), "--bind", f"127.0.0.1:{port}"]
    with _running(command, port, place / "log"):
        yield


@contextmanager
def _script(crm: int, port: int, place: Path) -> Iterator[None]:
    settings = place / "settings.py"
    settings.write_text(_SCRIPT.format(ttl=TTL), encoding="utf-8")
    options = f"--bind 127.0.0.1:{port} --chdir {_HERE} --worker-class gthread --threads 64 --keep-alive 5".split()
    options += ["--timeout", "60", "--graceful-timeout", "1"]
    os.environ["CRM"] = f"http://127.0.0.1:{crm}"
    with _running(["-m", "gunicorn", "--config", str(settings), *options, "script:app"], port, place / "log"):
        yield


@contextmanager
def _nginx(crm: int, port: int, place: Path) -> Iterator[None]:
    config = place / "nginx.conf"
    config.write_text(_NGINX.format(user=getpass.getuser(), crm=crm, port=port, ttl=TTL), encoding="utf-8")
    start = f"import os; os.execlp('nginx', 'nginx', '-p', {str(place)!r}, '-c', {str(config)!r}, '-e', 'error.log')"
    with _running(["-c", start], port, place / "log"):
        yield


_STARTED: dict[str, Callable[[int, int, Path], Iterator[None]]] = {
    "script": _script,
    "nginx": _nginx,
    "omi-bridge": _bridge,
}

if __name__ == "__main__":
    main()
