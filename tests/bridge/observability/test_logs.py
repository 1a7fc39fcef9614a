import io
import json
import logging
import os
import subprocess
import sys

import pytest

from bridge.observability.logs import REQUEST_ID, JsonFormatter, TextFormatter
from bridge.sdk.secrets import MASK, Redaction
from tests.support.documents import ROOT

SECRET = "s3cr3t/+ with blank"


def formatted(formatter, log) -> str:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter)
    logger = logging.Logger("bridge.test")  # noqa: LOG001 - one of its own, unknown to the rest
    logger.addHandler(handler)
    log(logger)
    return stream.getvalue()


@pytest.mark.parametrize("shape", [SECRET, "s3cr3t%2F%2B%20with%20blank", "s3cr3t%2F%2B+with+blank"])
@pytest.mark.parametrize("formatter", [TextFormatter, JsonFormatter])
def test_a_secret_is_masked_in_every_form_it_takes(formatter, shape):
    text = formatted(formatter(Redaction([SECRET])), lambda log: log.warning("GET /?key=%s", shape))
    assert MASK in text
    assert "s3cr3t" not in text


def test_a_secret_that_a_redaction_does_not_know_stays():
    assert Redaction([SECRET])("other%2Fwords &amp; C:\\path") == "other%2Fwords &amp; C:\\path"


def test_a_secret_in_a_traceback_is_masked():
    def log(logger):
        try:
            raise ValueError(f"token {SECRET}")
        except ValueError:
            logger.exception("a bug")

    text = formatted(TextFormatter(Redaction([SECRET])), log)
    assert "Traceback" in text
    assert "s3cr3t" not in text


def test_a_text_line_is_one_line_whatever_the_message_holds():
    text = formatted(TextFormatter(Redaction()), lambda log: log.info("one\nERROR forged"))
    assert [line[:4] for line in text.splitlines()][1] == "    "


@pytest.mark.parametrize("sign", ["\u202e", "\u2066", "\u200b", "\ufeff", "\x1b", "\x7f", "\u2028", "\U000e0041"])
def test_a_sign_that_is_seen_by_what_it_does_is_written_and_not_obeyed(sign):
    name = f"Lan {sign}101 gnar{sign} Nguyễn"
    text = formatted(TextFormatter(Redaction()), lambda log: log.info("owner %s", name))
    assert text.rstrip("\n").isprintable()
    assert "Lan \\u" in text
    assert "Nguyễn" in text
    told = formatted(JsonFormatter(Redaction()), lambda log: log.info("owner %s", name))
    assert told.rstrip("\n").isprintable()
    assert json.loads(told)["message"] == f"owner {name}"


def test_a_json_line_is_one_object_with_the_request_s_id():
    token = REQUEST_ID.set("call-1")
    try:
        line = json.loads(formatted(JsonFormatter(Redaction()), lambda log: log.info("xin chào\n%d", 7)))
    finally:
        REQUEST_ID.reset(token)
    assert (line["request_id"], line["message"], line["level"]) == ("call-1", "xin chào\n7", "info")


def test_short_texts_are_not_masked_for_they_are_everywhere():
    assert Redaction(["1", "abc"])("1 abc") == "1 abc"


def test_the_fields_of_a_line_stand_one_by_one_for_machines_and_are_masked():
    def log(logger):
        logger.info("found ms=%s", 1.5, extra={"fields": {"ms": 1.5, "reason": f"key {SECRET}"}})

    fields = json.loads(formatted(JsonFormatter(Redaction([SECRET])), log))
    assert (fields["message"], fields["ms"], fields["reason"]) == ("found ms=1.5", 1.5, f"key {MASK}")


SPEAKS = """
import logging
from bridge.observability.logs import set_up_logs, write_behind
from bridge.sdk.secrets import Redaction

set_up_logs("debug", FORM, Redaction())
log = logging.getLogger("bridge.test")
log.debug("one"); log.info("two")
write_behind(Redaction())
log.warning("three\\nforged"); log.error("four"); log.critical("five")
logging.getLogger().handlers[0].flush()
"""


def journal(tmp_path, form, stream=None) -> list[str]:
    """Return what a process writes whose standard error is a file that stands for the journal."""
    file = tmp_path / "journal"
    with file.open("wb") as stderr:
        there = os.fstat(stderr.fileno())
        environment = {**os.environ, "JOURNAL_STREAM": stream or f"{there.st_dev}:{there.st_ino}"}
        command = [sys.executable, "-c", SPEAKS.replace("FORM", repr(form))]
        subprocess.run(command, stderr=stderr, env=environment, cwd=ROOT, check=True)
    return file.read_text().splitlines()


@pytest.mark.parametrize(("form", "priorities"), [("text", "<7><6><4><4><3><2>"), ("json", "<7><6><4><3><2>")])
def test_in_the_journal_each_line_has_its_priority(tmp_path, form, priorities):
    lines = journal(tmp_path, form)
    assert "".join(line[:3] for line in lines) == priorities
    assert lines[0].endswith("one") or json.loads(lines[0][3:])["message"] == "one"


def test_elsewhere_it_has_none_though_a_parent_has_its_own_in_the_journal(tmp_path):
    assert all(line[:1] in {"2", " "} for line in journal(tmp_path, "text", "8:123456"))
