"""`omi-bridge forget`: what is deleted where, and what is said of the rest."""

import sqlite3
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bridge.commands.main import main
from bridge.config.identity import identity_of
from bridge.config.loading import load_config
from bridge.config.sections import Decisions
from bridge.lookup.decision import Decision, Outcome
from bridge.observability.decision_log import DecisionLog
from bridge.sdk.connector import Call
from bridge.sdk.phone.number import PhoneNumber
from bridge.sdk.secrets import Redaction
from bridge.storage.answer_table import AnswerTable, Kept, Key
from bridge.storage.cache import AnswerCache
from bridge.storage.forgotten import Forgotten, hashed
from bridge.storage.shared.answers import SharedAnswers
from bridge.storage.shared.sharing import Sharing
from bridge.storage.sqlite_file import SqliteFile
from tests.support.kept import LAN, until
from tests.support.redis_server import RunningRedis, needs_redis

WHO, OTHER = "+84901234567", "+84901234999"
HOTLINE = "+842499950291"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("STATE_DIRECTORY", raising=False)
    (tmp_path / "customers.csv").write_text("phone,owner\n0901234567,lan\n")
    return tmp_path


def configure(folder: Path, more: str = "") -> Path:
    file = folder / "config.yaml"
    file.write_text(
        "api_keys: [change-me]\ncache: {path: answers.db}\n"
        f"connectors:\n  customers: {{type: csv, path: customers.csv}}\n{more}"
    )
    return file


def forget(folder: Path, phone: str = "0901234567") -> Result:
    return CliRunner().invoke(main, ["forget", "-c", str(folder / "config.yaml"), phone])


def remember(folder: Path, *numbers: str) -> None:
    with closing(SqliteFile(folder / "answers.db", AnswerTable)) as file, file.table() as table:
        hotlines = (None, PhoneNumber(HOTLINE))
        calls = [Call(PhoneNumber(number), hotline) for number in numbers for hotline in hotlines]
        table.write({Key("crm", one): Kept(LAN, 1e9) for one in calls})


def decide(folder: Path, callers: str, *numbers: str) -> None:
    log = DecisionLog(Decisions(callers=callers), folder / "decisions.sqlite", Forgotten(key=b"change-me"), Redaction())
    log.start()
    for number in numbers:
        log.hear(Decision(Outcome.NOBODY, call=Call(PhoneNumber(number), PhoneNumber(HOTLINE))), 0.1)
    log.close()


def bytes_of(folder: Path) -> bytes:
    """Return all that lies in the folder but what the admin wrote."""
    own = {"config.yaml", "customers.csv"}
    return b"".join(file.read_bytes() for file in folder.rglob("*") if file.is_file() and file.name not in own)


@pytest.mark.parametrize("callers", ["full", "hashed"])
def test_the_caller_alone_is_gone_from_every_byte(folder: Path, callers: str) -> None:
    configure(folder, f"server: {{decisions: {{callers: {callers}}}}}\n")
    remember(folder, WHO, OTHER)
    decide(folder, callers, WHO, OTHER, WHO)
    result = forget(folder)
    assert result.exit_code == 0, result.output
    assert f"server.decisions: 2 call(s) deleted in {folder}/decisions.sqlite\n" in result.stdout
    assert f"cache.path: 2 answer(s) deleted in {folder}/answers.db\n" in result.stdout
    left = bytes_of(folder)
    digest = hashed(WHO, b"change-me")
    assert WHO[1:].encode() not in left
    assert OTHER.encode() in left
    assert [file.name for file in folder.iterdir() if digest.encode() in file.read_bytes()] == ["forgotten.json"]
    assert "0901234567" not in result.output
    assert "…567" in result.stdout


def test_nothing_is_left_either_while_the_service_has_the_files_open(folder: Path) -> None:
    configure(folder, "server: {decisions: {callers: full}}\n")
    names = ("answers.db", "decisions.sqlite")
    with ExitStack() as open_files:
        remember(folder, WHO, OTHER)
        decide(folder, "full", WHO, OTHER)
        for name in names:
            db = open_files.enter_context(closing(sqlite3.connect(folder / name)))
            db.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        remember(folder, WHO)
        decide(folder, "full", WHO)
        assert all((folder / f"{name}-wal").stat().st_size for name in names)
        assert forget(folder).exit_code == 0
        assert WHO[1:].encode() not in bytes_of(folder)
        assert OTHER.encode() in bytes_of(folder)


def test_nothing_is_left_either_of_what_was_deleted_before(folder: Path) -> None:
    configure(folder)
    remember(folder, WHO, OTHER)
    with closing(sqlite3.connect(folder / "answers.db", isolation_level=None)) as db:
        db.execute("PRAGMA secure_delete = OFF")
        db.execute("DELETE FROM answers WHERE caller = ?", [WHO])
    assert WHO[1:].encode() in bytes_of(folder)
    assert "0 answer(s) deleted" in forget(folder).stdout
    assert WHO[1:].encode() not in bytes_of(folder)


def test_a_call_that_was_under_way_is_not_written_down_afterwards(folder: Path) -> None:
    configure(folder)
    own = Forgotten(folder / "forgotten.json", b"change-me")
    log = DecisionLog(Decisions(callers="full"), folder / "decisions.sqlite", own, Redaction())
    assert forget(folder).exit_code == 0
    for seconds, number in ((60.0, WHO), (60.0, OTHER), (0.0, WHO)):
        log.hear(Decision(Outcome.NOBODY, call=Call(PhoneNumber(number))), seconds)
    log.start()
    log.close()
    with closing(sqlite3.connect(folder / "decisions.sqlite")) as db:
        assert db.execute("SELECT caller FROM decisions").fetchall() == [(OTHER,), (WHO,)]


def test_of_masked_calls_all_go_that_may_be_his_and_it_is_said(folder: Path) -> None:
    configure(folder)
    decide(folder, "masked", WHO, "+84911111567", OTHER)
    told = forget(folder).stdout
    assert "2 call(s) deleted" in told
    assert "all that end in …567, for masked callers cannot be told apart" in told
    with closing(sqlite3.connect(folder / "decisions.sqlite")) as db:
        assert db.execute("SELECT caller FROM decisions").fetchall() == [("…999",)]


def test_it_says_what_it_cannot_remove(folder: Path) -> None:
    configure(folder)
    (folder / "last-good").mkdir()
    (folder / "last-good" / "customers.good").write_text("phone,owner\n")
    (folder / "answers.db.damaged-20261125-120000").touch()
    told = [line for line in forget(folder).stdout.splitlines() if line.startswith("not touched: ")]
    for part in ("sources themselves (customers)", "customers.good", "damaged-20261125-120000", "logs and the journal"):
        assert sum(part in line for line in told) == 1, part


def test_nothing_there_is_nothing_to_do(folder: Path) -> None:
    configure(folder)
    result = forget(folder)
    assert result.exit_code == 0
    assert sorted(file.name for file in folder.iterdir()) == [
        *("config.yaml", "customers.csv", "forgotten.json", "forgotten.json.lock")
    ]


def test_what_fails_is_told_and_the_rest_is_done(folder: Path) -> None:
    configure(folder)
    remember(folder, WHO)
    (folder / "forgotten.json.lock").mkdir()
    result = forget(folder)
    assert result.exit_code == 1
    assert "the running service: NOT FORGOTTEN: Is a directory\n" in result.stderr
    assert "cache.path: 2 answer(s) deleted" in result.stdout


@pytest.mark.parametrize("phone", ["lan", "101"])
def test_what_is_no_number_is_wrong_usage(folder: Path, phone: str) -> None:
    configure(folder)
    assert forget(folder, phone).exit_code == 2
    (folder / "config.yaml").write_text("api_kyes: []\n")
    assert forget(folder).exit_code == 2


@needs_redis
def test_what_instances_share_is_deleted_and_a_redis_that_is_away_is_told(folder: Path) -> None:
    pytest.importorskip("redis")
    crm = (
        "  crm: {type: rest, base_url: 'https://crm.example', auth: {type: bearer, token: t}, "
        "steps: [{path: c, query: {q: '{{ caller.nsn }}'}, records: r, match: [p], take: {email: e}}]}\n"
        f"routes: [{{hotlines: ['{HOTLINE}'], connectors: [crm]}}, {{connectors: [crm, customers]}}]\n"
    )
    with RunningRedis() as redis:
        file = configure(folder, crm)
        file.write_text(file.read_text().replace("answers.db", f"answers.db, backend: redis, url: {redis.url}"))
        publish(file, WHO, OTHER)
        until(lambda: len(redis.contents()) == 4)
        result = forget(folder)
        assert result.exit_code == 0
        assert "cache.url: 2 answer(s) deleted in the Redis" in result.stdout
        assert sorted(key.split(b":")[2] for key in redis.contents() if key.count(b":") == 3) == [
            b"answer",
            b"answer",
            b"callers",
        ]
        redis.kill()
        result = forget(folder)
    assert result.exit_code == 1
    assert "cache.url: NOT FORGOTTEN: " in result.stderr


def publish(file: Path, *numbers: str) -> None:
    """Let others know what an instance has learnt, with a hotline and without one."""
    config = load_config(file)
    sharing = Sharing(config)
    namespace = sharing.namespace("crm", identity_of(config.sources["crm"], config))
    assert namespace
    namespace.get("the server's time")
    answers = SharedAnswers(namespace, AnswerCache(config.settings.cache))
    for number in numbers:
        for hotline in (None, PhoneNumber(HOTLINE)):
            answers.publish(Call(PhoneNumber(number), hotline), LAN, "")
