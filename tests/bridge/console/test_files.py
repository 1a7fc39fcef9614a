"""The page on which a customers' file is looked at, by Flask's own client, in front of the process that looks."""

import gc
import io
import re
from pathlib import Path

import pytest

from bridge.console.app import create_app
from bridge.console.looking import PER_MINUTE, FileLooker
from bridge.console.uploads import LARGEST_FILE, LARGEST_FORM, shown_name
from bridge.insight.client import AnswerRefused
from bridge.sdk.shared import Turns
from bridge.testing.fakes import FakeClock
from tests.bridge.console.test_console import HOSTILE, LOCAL, Seen, post, said, signed_in, token_in
from tests.support.consoled import settings_of

FILE = b"phone,owner email\n0901234567,lan@congty.example\n12,minh@congty.example\n"


def _target(descriptor):
    try:
        return str(Path(f"/proc/self/fd/{descriptor}").readlink())
    except FileNotFoundError:  # the one by which the folder was listed
        return ""


class Heard(FileLooker):
    """Notes where the file is, what it holds and what is wanted, and says what it is told to say."""

    def __init__(self, says):
        super().__init__(Turns(PER_MINUTE, 60.0, FakeClock()))
        self.says, self.heard = says, []

    def look(self, file, wanted):
        file.seek(0)
        self.heard.append((_target(file.fileno()), file.read(), dict(wanted), file))
        if isinstance(self.says, str):
            raise AnswerRefused(self.says)
        return self.says


FOUND = {
    "type": "csv", "problem": "", "yaml": HOSTILE, "columns": [HOSTILE], "more_columns": 3, "header": 1,
    "form": {"encoding": HOSTILE, "delimiter": ","}, "read": [{"header": HOSTILE, "meaning": "phone"}], "rows": 1,
    "numbers": 1, "owners": 1, "first": [{"line": 2, "cells": [HOSTILE]}],
    "report": [{"text": HOSTILE, "attention": True}],
}  # fmt: skip
WRONG = FOUND | {"problem": HOSTILE, "yaml": "planted", "form": {}, "read": [], "first": [], "report": []}


def client_with(looker=None):
    return signed_in(create_app(settings_of(), said, looker=looker).test_client())


def send(client, content=FILE, name="customers.csv", path="/set-up/file", **typed):
    """Send a form with a file as a browser does; Werkzeug's own client puts a large one on the disk."""
    typed["csrf_token"] = token_in(client.get("/set-up", **LOCAL).get_data(as_text=True))
    parts = [f'Content-Disposition: form-data; name="{key}"\r\n\r\n{value}'.encode() for key, value in typed.items()]
    quoted = name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
    parts.append(f'Content-Disposition: form-data; name="file"; filename="{quoted}"\r\n\r\n'.encode() + content)
    body = b"".join(b"--limit\r\n" + part + b"\r\n" for part in parts) + b"--limit--\r\n"
    return client.post(path, data=body, content_type="multipart/form-data; boundary=limit", **LOCAL)


def test_what_would_be_read_is_shown_and_what_would_not(caplog):
    caplog.set_level("INFO")
    answer = send(client_with())
    page = answer.get_data(as_text=True)
    assert answer.status_code == 200
    assert "It can be read: 2 rows, 1 telephone numbers, 1 owners." in page
    assert re.search(r'<th scope="row">2</th><td class="mono">…567</td><td class="mono">lan@congty.example</td>', page)
    assert "customers.csv:3: no telephone number in &#39;12&#39;" in page
    assert "customers: {type: csv, path: customers.csv}" in page
    assert "omi-bridge check -c config.yaml" in page
    assert "0901234567" not in page
    assert f"127.0.0.1 looks at the file customers.csv of {len(FILE)} bytes" in caplog.text


def test_a_file_is_in_memory_and_gone_with_its_request(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path / "nowhere"))
    looker = Heard(FOUND)
    large = b"x" * 3_000_000
    assert send(client_with(looker), large, sheet=" KH ", phone="SĐT").status_code == 200
    ((place, content, wanted, file),) = looker.heard
    assert place.startswith("/memfd:upload")
    assert content == large
    assert wanted == {"name": "customers.csv", "region": "VN", "sheet": "KH", "phone": "SĐT", "owner": ""}
    assert file.closed
    assert [one for one in Path("/proc/self/fd").iterdir() if _target(one.name).startswith("/memfd:upload")] == []


@pytest.mark.parametrize("found", [FOUND, WRONG])
def test_whatever_stands_in_a_file_nothing_runs_in_the_page(found):
    page, seen = send(client_with(Heard(found)), name=HOSTILE).get_data(as_text=True), Seen()
    seen.feed(page)
    assert [attributes["src"] for tag, attributes in seen.tags if tag == "script"] == ["/static/file.js"]
    assert "&lt;script&gt;alert(1)" in page
    assert ("planted" in page) is False


@pytest.mark.parametrize("why", ["look-busy", "look-often", "look-time", "look-memory"])
def test_why_it_is_not_looked_at_is_said_in_words(why, caplog):
    caplog.set_level("INFO")
    answer = send(client_with(Heard(why)))
    assert answer.status_code == 200
    assert re.search(r'class="alert alert-warning" role="alert">\w+ .*\.</p>', answer.get_data(as_text=True))
    assert f"refused: {why}" in caplog.text


def test_a_bug_is_said_to_be_one():
    answer = send(client_with(Heard("bug")))
    assert answer.status_code == 503
    assert "Something is wrong in omi-bridge" in answer.get_data(as_text=True)


@pytest.mark.parametrize("form", [{}, {"file": (io.BytesIO(b""), "")}, {"sheet": "x" * 201}])
def test_without_a_file_nothing_is_looked_at(form):
    looker = Heard(FOUND)
    page = post(client_with(looker), "/set-up/file", dict(form), page="/set-up").get_data(as_text=True)
    assert "Choose a file" in page
    assert looker.heard == []


def test_a_file_that_is_too_large_is_refused_in_words():
    looker = Heard(FOUND)
    client = client_with(looker)
    assert send(client, b"x" * LARGEST_FILE).status_code == 200
    answer = send(client, b"x" * (LARGEST_FILE + 100_000))
    assert answer.status_code == 413
    assert "A file of 20 MB at most is looked at here" in answer.get_data(as_text=True)
    assert len(looker.heard) == 1


@pytest.mark.parametrize("size", [LARGEST_FILE + 100_000, 1_000_000])
def test_a_browser_is_heard_out_before_it_is_told(size):
    """One that is cut off while it sends shows an error of its own."""
    clock, body = FakeClock(), io.BytesIO(b"x" * size)
    client = signed_in(create_app(settings_of(session=3600), said, clock).test_client())
    clock.advance(0 if size > LARGEST_FILE else 3601)
    form = {"CONTENT_TYPE": "multipart/form-data; boundary=x", "CONTENT_LENGTH": str(size), "wsgi.input": body}
    answer = client.post("/set-up/file", environ_overrides=form, **LOCAL)
    assert answer.status_code == (413 if size > LARGEST_FILE else 302)
    assert body.tell() == size


@pytest.mark.parametrize("path", ["/set-up", "/", "/upkeep/forget", "/calls", "/sources", "/language"])
def test_every_other_form_is_as_small_as_before(path):
    looker = Heard(FOUND)
    assert send(client_with(looker), b"x" * LARGEST_FORM, path=path).status_code == 413
    assert looker.heard == []


def test_what_is_typed_beside_a_file_is_small_too():
    looker = Heard(FOUND)
    assert send(client_with(looker), sheet="x" * (2 * LARGEST_FORM + 1)).status_code == 413
    assert looker.heard == []


def test_a_file_is_given_back_whose_form_cannot_be_read_to_its_end():
    parts = [b'"file"; filename="a.csv"\r\n\r\n' + FILE, b'"sheet"\r\n\r\n' + b"x" * (3 * LARGEST_FORM)]
    body = b"".join(b"--limit\r\nContent-Disposition: form-data; name=" + part + b"\r\n" for part in parts)
    form = "multipart/form-data; boundary=limit"
    answer = client_with(Heard(FOUND)).post("/set-up/file", data=body + b"--limit--", content_type=form, **LOCAL)
    gc.collect()  # who forgets to close it is told by Python, which is a failure here
    assert answer.status_code == 413


def test_nothing_is_looked_at_for_another_site_or_before_signing_in():
    looker = Heard(FOUND)
    app = create_app(settings_of(), said, looker=looker)
    form = {"file": (io.BytesIO(FILE), "customers.csv")}
    assert signed_in(app.test_client()).post("/set-up/file", data=form, **LOCAL).status_code == 400
    outside = app.test_client().post("/set-up/file", data={"file": (io.BytesIO(FILE), "customers.csv")}, **LOCAL)
    assert outside.status_code == 302
    assert looker.heard == []


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("customers.csv", "customers.csv"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\Lan\\KH.xlsx", "KH.xlsx"),
        ("<script>alert(1)</script>.csv", "script>.csv"),
        ("x" * 10_000 + ".xlsx", "x" * 60 + "….xlsx"),
        ("x." + "y" * 10_000, "x.yyyyyyyy"),
        ("a\r\nSet-Cookie: b.csv", "a Set-Cookie: b.csv"),
        ("a\u202evsc.exe", "a\\u202evsc.exe"),
        ("KH 0901234567.csv", "KH …567.csv"),
        (".csv", ".csv"),
        ("", "customers"),
        (None, "customers"),
        ("~$customers.xlsx", "~$customers.xlsx"),
    ],
)
def test_what_a_file_is_called(sent, shown):
    assert shown_name(sent) == shown


@pytest.mark.parametrize("name", ["../../etc/passwd", "<script>alert(1)</script>.csv", "x" * 10_000 + ".csv"])
def test_a_hostile_name_is_a_text_like_any_other(name):
    looker = Heard(FOUND)
    assert send(client_with(looker), name=name).status_code in {200, 400, 413}
    assert all(wanted["name"] == shown_name(name) for _, _, wanted, _ in looker.heard)


@pytest.mark.parametrize("piece", [b"\r", b"\n", b"\r\n--", b"\r\n"])
def test_a_body_of_line_breaks_takes_no_time(piece):
    """Some parsers of forms look for the boundary behind each line break anew."""
    looker = Heard(FOUND)
    content = piece * (4_000_000 // len(piece))
    assert send(client_with(looker), content).status_code == 200
    assert [found for _, found, _, _ in looker.heard] == [content]
