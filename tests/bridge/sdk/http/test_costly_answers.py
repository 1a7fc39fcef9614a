"""Answers within `max_response_size` that would take far longer to read than to send: refused, in words that say so."""

import gzip
import json

import pytest

from bridge.sdk.errors import UnexpectedAnswer
from bridge.sdk.http import Response
from bridge.sdk.http.body import uncompressed

LIMIT = 2_000_000
MEMBER = gzip.compress(b"", mtime=0)


def test_a_stream_of_gzip_may_have_many_members_of_any_size() -> None:
    texts = [b"%d, " % number for number in range(900)] + [b"x" * 100_000, b"the end"]
    body = b"".join(gzip.compress(text, mtime=0) for text in texts)
    assert uncompressed(body, "gzip", LIMIT) == b"".join(texts)


def test_a_stream_of_countless_members_of_gzip_is_refused() -> None:
    with pytest.raises(UnexpectedAnswer, match="more than 1000 members of gzip"):
        uncompressed(MEMBER * 80_000, "gzip", LIMIT)


def test_what_is_uncompressed_piece_by_piece_is_bounded_as_a_whole() -> None:
    text = bytes(range(256)) * 1000
    body = gzip.compress(text, mtime=0, compresslevel=0)
    assert uncompressed(body, "gzip", len(text)) == text
    with pytest.raises(UnexpectedAnswer, match="max_response_size"):
        uncompressed(body, "gzip", len(text) - 1)


@pytest.mark.parametrize("container", ["[]", "{}"])
def test_an_answer_of_countless_lists_or_objects_is_refused(container: str) -> None:
    body = f'{{"records": [{",".join([container] * 100_000)}]}}'.encode()
    with pytest.raises(UnexpectedAnswer, match="with 100002 lists and objects: 100000 at most"):
        Response(200, body=body).json()


def test_a_thousand_records_of_many_fields_each_are_not_too_many() -> None:
    record = {f"field {number}": {"id": number, "values": [{"value": "x" * 20}]} for number in range(30)}
    body = json.dumps({"records": [record] * 1000}).encode()
    assert len(body) > LIMIT
    assert Response(200, body=body).json() == {"records": [record] * 1000}


@pytest.mark.parametrize("charset", ["punycode", "idna", "Unicode_Escape", "raw-unicode-escape"])
def test_an_encoding_that_is_none_of_texts_is_not_tried(charset: str) -> None:
    headers = {"Content-Type": f"application/json; charset={charset}"}
    with pytest.raises(UnexpectedAnswer, match="not UTF-8"):
        Response(200, headers, body=b'"\xff' + b"a-b" * 100_000 + b'"').json()
