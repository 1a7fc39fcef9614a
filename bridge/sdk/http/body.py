"""Uncompressing an answer's body, with a bounded result: a few kilobytes of gzip can stand for gigabytes."""

import zlib

from bridge.sdk.errors import UnexpectedAnswer
from bridge.sdk.threads.lane import give_way

ACCEPTED = "gzip, deflate"
"""The value of Accept-Encoding: what `uncompressed` understands."""

_MOST_MEMBERS = 1000
"""A gzip stream may come in several (RFC 1952, section 2.2), and an empty one costs as much time as a large one."""

_PIECE = 16 * 1024
_GZIP, _ZLIB, _BARE = 16 + zlib.MAX_WBITS, zlib.MAX_WBITS, -zlib.MAX_WBITS


def uncompressed(body: bytes, encoding: str, limit: int) -> bytes:
    """Return the body without the encoding that its Content-Encoding names.

    Raises UnexpectedAnswer if the result is larger than `limit` bytes, and if the body is not so encoded.
    """
    encoding = encoding.strip().lower()
    if not body or encoding in {"", "identity"}:
        return body
    if encoding not in {"gzip", "x-gzip", "deflate"}:
        raise UnexpectedAnswer("the answer is compressed in a way that was not asked for")
    try:
        if encoding != "deflate":
            return _inflated(body, _GZIP, limit)
        # RFC 9110, section 8.4.1.2: deflate means zlib's format, but some servers send the bare one.
        return _inflated(body, _ZLIB if _looks_like_zlib(body) else _BARE, limit)
    except zlib.error:
        raise UnexpectedAnswer("the answer's compression is damaged") from None


def _looks_like_zlib(body: bytes) -> bool:
    return body[0] & 0x0F == 8 and int.from_bytes(body[:2], "big") % 31 == 0  # noqa: PLR2004 - RFC 1950, section 2.2


def _inflated(body: bytes, form: int, limit: int) -> bytes:
    result = bytearray()
    ahead = memoryview(body)
    for _ in range(_MOST_MEMBERS):
        stream = zlib.decompressobj(form)
        while ahead and not stream.eof:
            piece, ahead = ahead[:_PIECE], ahead[_PIECE:]
            result += stream.decompress(piece, limit + 1 - len(result))
            if len(result) > limit or stream.unconsumed_tail:
                raise UnexpectedAnswer("the answer is larger than max_response_size allows, once it is uncompressed")
            give_way()
        if not stream.eof:
            raise zlib.error
        ahead = memoryview(body)[len(body) - len(ahead) - len(stream.unused_data) :]
        if not ahead or form != _GZIP:
            return bytes(result)
    raise UnexpectedAnswer(f"the answer is compressed in more than {_MOST_MEMBERS} members of gzip")
