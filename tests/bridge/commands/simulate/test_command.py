"""The rehearsal calls as OMICall does, hangs up as it does, and says what became of every call."""

import json
import threading

import pytest
from click.testing import CliRunner

from bridge.commands.main import main
from tests.support.certificates import make_certificate
from tests.support.scripted import ScriptedServer
from tests.support.servers import HttpServer, Reply
from tests.support.service import RunningService

KEY = "key-4711"


def simulate(*arguments, env=None):
    return CliRunner().invoke(main, ["simulate", *map(str, arguments)], env=env, catch_exceptions=False)


def figures(server, *arguments):
    result = simulate("--url", f"{server.url}/owner", "--key", KEY, "--json", *arguments)
    return result.exit_code, json.loads(result.stdout)


def answering(body=b"101:102", status=200, *headers):
    return HttpServer(lambda _asked: Reply(body, status, headers))


def test_a_call_looks_as_omicall_makes_it():
    with answering() as server:
        exit_code, report = figures(server, "--rate", 100, "--duration", "20ms", "--hotline", "842499950291")
        first = server.requests[0]
    assert (exit_code, report["in_time"], report["passed"]) == (0, 2, True)
    assert (first.method, first.headers["X-API-KEY"]) == ("GET", KEY)
    assert first.path == "/owner?phoneNumber=0999000000&sipNumber=842499950291"


def test_callers_are_taken_in_turn_from_a_file(tmp_path):
    (tmp_path / "phones.txt").write_text("phone\n0901234567\n\n+84 912 345 678\n")
    with answering() as server:
        figures(server, "--rate", 100, "--duration", "30ms", "--phones", tmp_path / "phones.txt")
        paths = [asked.path for asked in server.requests]
    asked = ("0901234567", "%2B84+912+345+678")
    assert sorted(paths) == sorted(f"/owner?phoneNumber={asked[n % 2]}" for n in range(3))


@pytest.mark.parametrize(
    ("server", "verdict", "detail"),
    [
        (lambda: answering(status=401), "wrong_status", "wrong status: 401"),
        (lambda: answering(b"<html>101</html>"), "broken_body", "broken body: not extensions with colons"),
        (lambda: answering(b"101\n"), "broken_body", "broken body: not extensions with colons"),
        (
            lambda: ScriptedServer(lambda c: c.read_request() and c.send(b"HTTP/1.1 200 OK\r\nContent-Le")),
            "broken_body",
            None,
        ),
        (lambda: ScriptedServer(lambda c: c.read_request() and c.reset()), "no_connection", None),
    ],
)
def test_what_omicall_could_not_use_fails_the_rehearsal(server, verdict, detail):
    with server() as running:
        exit_code, report = figures(running, "--rate", 50, "--duration", "20ms")
    assert (exit_code, report["passed"], report[verdict]) == (1, False, 1)
    assert detail is None or detail in report["details"]


@pytest.mark.parametrize("end", ["", "/"])
def test_an_address_without_its_path_is_told_with_the_path(end):
    with answering(status=404) as server:
        result = simulate("--url", server.url + end, "--key", KEY, "--rate", 50, "--duration", "40ms")
        assert f"  is the path missing? Write --url {server.url}/get_owner_contact_by_phone\n" in result.stdout
        result = simulate("--url", f"{server.url}/x", "--key", KEY, "--rate", 50, "--duration", "20ms")
        assert "path" not in result.stdout


def test_an_answer_that_drips_past_two_seconds_is_late_and_hung_up_on():
    slow = ScriptedServer(lambda c: c.read_request() and c.drip_for_ever(b" ", 0.05))
    with slow:
        exit_code, report = figures(slow, "--rate", 50, "--duration", "20ms")
        slow.wait_for_end()  # the other side has hung up
    assert (exit_code, report["late"]) == (1, 1)
    assert report["histogram"][-1] == {"le": None, "calls": 1}
    assert report["seconds"]["max"] >= 2


def test_calls_do_not_wait_for_each_other():
    """With a closed loop the first call alone would hold up all others for its two seconds."""
    everybody_has_called, gate = threading.Barrier(4), threading.Event()

    def wait_for_all(_asked):
        if everybody_has_called.wait(10) == 0:
            gate.set()
        assert gate.wait(10)
        return Reply(b"")

    with HttpServer(wait_for_all) as server:
        exit_code, report = figures(server, "--rate", 100, "--duration", "40ms")
    assert (exit_code, report["in_time"]) == (0, 4)


def test_nobody_listening_fails_with_the_reason():
    with answering() as server:
        url = server.url
    result = simulate("--url", url, "--key", KEY, "--rate", 50, "--duration", "20ms")
    assert result.exit_code == 1
    assert "no connection" in result.stdout
    assert "Connection refused" in result.stdout
    assert "  does the service run, and is this its address? It listens where server.bind or serve --bind says" in (
        result.stdout
    )


def test_what_has_to_be_answered_is_compared(tmp_path):
    (tmp_path / "expected.csv").write_text("phone,extensions\n0901234567,101:102\n0912345678,\n")
    with answering() as server:
        exit_code, report = figures(server, "--rate", 100, "--duration", "20ms", "--expect", tmp_path / "expected.csv")
    assert (exit_code, report["in_time"], report["wrong_answer"]) == (1, 1, 1)
    assert report["details"] == {"wrong answer: 101:102 instead of nobody": 1}


def test_what_has_to_be_answered_may_be_written_as_in_the_configuration(tmp_path):
    file = tmp_path / "expected.yaml"
    file.write_text(
        "expect:\n  - {caller: 0901234567, extensions: [101, 102]}\n  - {caller: 0912345678, extensions: []}\n"
    )
    with answering() as server:
        exit_code, report = figures(server, "--rate", 100, "--duration", "20ms", "--expect", file)
    assert (exit_code, report["details"]) == (1, {"wrong answer: 101:102 instead of nobody": 1})


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("caller: 0901234567, owners: lan@congty.example", "an answer names no owners: write 'extensions'"),
        ("caller: 0901234567, hotline: 19001234, extensions: [101]", "dials one hotline: give it with --hotline"),
        ("caller: 0901234567", "expect[0]: has to say what must come"),
    ],
)
def test_what_no_rehearsal_can_see_is_refused_with_its_line(tmp_path, entry, message):
    (tmp_path / "expected.yaml").write_text(f"expect:\n  - {{{entry}}}\n")
    result = simulate("--url", "http://127.0.0.1:9/x", "--key", KEY, "--expect", tmp_path / "expected.yaml")
    assert result.exit_code == 2
    assert "expected.yaml:2" in result.output
    assert message in result.output


@pytest.mark.parametrize("outcome", ["nobody", "unmapped", "invalid-number", None])
def test_an_empty_answer_that_the_bridge_is_sure_of_is_as_expected(tmp_path, outcome):
    (tmp_path / "expected.csv").write_text("0912345678,\n")
    with answering(b"", 200, *([("X-Bridge-Outcome", outcome)] if outcome else [])) as server:
        exit_code, report = figures(server, "--rate", 50, "--duration", "20ms", "--expect", tmp_path / "expected.csv")
    assert (exit_code, report["passed"]) == (0, True)


def test_a_dead_crm_is_not_what_is_expected_of_a_caller_that_nobody_looks_after(tmp_path):
    (tmp_path / "expected.csv").write_text("0912345678,\n0901234567,101\n")
    with answering(b"", 200, ("X-Bridge-Outcome", "unavailable")) as server:
        exit_code, report = figures(server, "--rate", 100, "--duration", "20ms", "--expect", tmp_path / "expected.csv")
    assert (exit_code, report["wrong_answer"]) == (1, 2)
    assert report["details"] == {
        "wrong answer: unavailable instead of nobody": 1,
        "wrong answer: unavailable instead of 101": 1,
    }


def test_a_rehearsal_without_expectations_passes_but_says_that_calls_were_unavailable():
    with answering(b"", 200, ("X-Bridge-Outcome", "unavailable")) as server:
        result = simulate("--url", server.url, "--key", KEY, "--rate", 100, "--duration", "30ms")
    assert result.exit_code == 0
    assert result.stdout.splitlines()[-1] == "WARNING: in time, but 3 of 3 calls were unavailable"


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("Số điện thoại;Số nội bộ\r\n0901234567;101:102\r\n", "utf-8-sig"),
        ("Số điện thoại\tSố nội bộ\r\n0901234567\t101:102\r\n", "utf-16"),
        ("Phone;Extensions\r\n0901234567;101:102\r\n;\r\n", "cp1258"),
        ("anonymous,101:102\n", "ascii"),
    ],
)
def test_expectations_are_read_as_excel_saves_them(tmp_path, text, encoding):
    (tmp_path / "expected.csv").write_bytes(text.encode(encoding))
    with answering(b"7") as server:
        exit_code, report = figures(server, "--rate", 50, "--duration", "20ms", "--expect", tmp_path / "expected.csv")
    assert (exit_code, report["details"]) == (1, {"wrong answer: 7 instead of 101:102": 1})


@pytest.mark.parametrize(
    "row", ["0912345678", "0912345678,101,102", "0912345678;101", "Lan,101", "9.01E+08,101", ",101"]
)
def test_a_row_that_says_nothing_for_certain_is_refused_with_its_place(tmp_path, row):
    (tmp_path / "expected.csv").write_text(f"phone,extensions\n0901234567,101\n{row}\n")
    result = simulate("--url", "http://127.0.0.1:9/x", "--key", KEY, "--expect", tmp_path / "expected.csv")
    assert result.exit_code == 2
    assert "expected.csv:3: " in result.output
    assert "0912345678" not in result.output


def test_the_report_for_people_draws_the_line_and_masks_callers(tmp_path):
    (tmp_path / "expected.csv").write_text("0901234567,7\n")
    with answering(b"101", 200, ("X-Bridge-Outcome", "found"), ("X-Bridge-Answer", "cached")) as server:
        result = simulate(
            *("--url", server.url, "--key", KEY, "--rate", 100, "--duration", "30ms"),
            *("--expect", tmp_path / "expected.csv"),
        )
    for expected in (
        "OMICall hangs up after 2 s",
        "outcomes  found 3",
        "answers   cached 3",
        "101 instead of 7",
        "FAILED",
    ):
        assert expected in result.stdout
    assert result.stdout.count("…567") == 1, "the same trouble of the same caller is told once"
    assert "0901234567" not in result.output
    assert KEY not in result.output


def test_a_certificate_that_nobody_vouches_for_is_named_and_one_that_is_given_is_trusted(tmp_path):
    certificate = make_certificate(tmp_path)
    with HttpServer(lambda _asked: Reply(b"101"), certificate.server) as server:
        code, report = figures(server, "--rate", 50, "--duration", "20ms", "--ca-file", certificate.file)
        assert (code, report["in_time"]) == (0, 1)
        code, report = figures(server, "--rate", 50, "--duration", "20ms")
    assert (code, report["no_connection"]) == (1, 1)
    assert any("self-signed" in detail for detail in report["details"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--url", "ftp://bridge.example/x", "--key", KEY], "--url has to be"),
        (["--url", "http://127.0.0.1:9/x", "--key", "two words"], "no blanks"),
        (["--url", "http://127.0.0.1:9/x", "--key", KEY, "--duration", "soon"], "write a duration"),
        (["--key", KEY], "--url not given"),
        (["--url", "http://127.0.0.1:9/x", "--key", KEY, "--phones", "EMPTY"], "holds no number"),
        (["--url", "http://127.0.0.1:9/x", "--key", KEY, "--expect", "WRONG"], "wrong.csv:2: write NUMBER,EXTENSIONS"),
        (["--url", "http://127.0.0.1:9/x", "--key", KEY, "--phones", "BINARY"], "binary.csv:1: NUL bytes"),
        (["--url", "http://127.0.0.1:9/x", "--key", KEY, "--expect", "EMPTY"], "holds no number"),
    ],
)
def test_wrong_usage_is_told_and_ends_with_2(tmp_path, arguments, message, monkeypatch):
    monkeypatch.chdir(tmp_path)
    files = {"EMPTY": b"phone\n", "WRONG": b"0901234567,101\n0912345678,101 and 102\n", "BINARY": b"0901234567\x00"}
    for name, content in files.items():
        (tmp_path / f"{name.lower()}.csv").write_bytes(content)
    given = [str(tmp_path / f"{word.lower()}.csv") if word in files else word for word in arguments]
    result = simulate(*given)
    assert result.exit_code == 2
    assert message in result.output


def test_address_and_key_come_from_the_configuration(tmp_path):
    (tmp_path / "customers.csv").write_text("phone,owner email\n0901234567,lan@congty.example\n")
    (tmp_path / "expected.csv").write_text("0901234567,101\n0912345678,\n")
    config = tmp_path / "config.yaml"
    text = (
        "api_keys: [change-me]\nserver: {bind: '127.0.0.1:PORT'}\n"
        "connectors: {customers: {type: csv, path: customers.csv}}\n"
        "extensions: {inline: {lan@congty.example: 101}}\n"
    )
    config.write_text(text.replace("PORT", "8080"))
    with RunningService(config) as service:
        config.write_text(text.replace("PORT", str(service.port)))
        arguments = ["-c", config, "--expect", tmp_path / "expected.csv", "--rate", 20, "--duration", "500ms"]
        result = simulate(*arguments)
    assert (result.exit_code, result.stdout.splitlines()[-1]) == (0, "PASSED"), result.output


@pytest.mark.parametrize("variable", ["OMI_BRIDGE_KEY", "OMI_BRIDGE_API_KEY"])
def test_the_key_comes_from_the_environment_and_never_has_to_be_written(monkeypatch, variable):
    monkeypatch.setenv(variable, KEY)
    with answering() as server:
        result = simulate("--url", f"{server.url}/x", "--rate", 50, "--duration", "20ms")
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines()[-1] == "PASSED"
    assert server.requests[0].headers["X-API-KEY"] == KEY
