"""Answers that cost whoever reads them far more than they cost the CRM: small on the wire, endless in work.

Each is within `max_response_size`, and most are proper HTTP and proper JSON. They play as `faults` do.
"""

import gzip
import json
from functools import cache

from tests.support.faults import JSON, Asked, Script
from tests.support.scripted import Connection, answer

_ODD = "8123456789;" * 14
"""What takes long to be read as telephone numbers, and is none."""

_SIZE = 1_900_000


def _body(*records: dict[str, object]) -> bytes:
    return json.dumps({"records": records}).encode()


def _odd_fields() -> bytes:
    return answer(_body(*[{"phone": "0 " * 250, "owner": "101"}] * 1000), headers=[JSON])


def _odd_numbers() -> bytes:
    return answer(_body({"phone": [f"{_ODD}{count}" for count in range(10_000)], "owner": "101"}), headers=[JSON])


def _odd_phones() -> bytes:
    return answer(_body(*[{"phone": [_ODD] * 10, "owner": "101"}] * 1000), headers=[JSON])


def _many_elements() -> bytes:
    return answer(b'{"records": {"phone": "0901234567", "owner": [' + b"1," * (_SIZE // 2) + b"1]}}", headers=[JSON])


def _many_containers() -> bytes:
    return answer(b'{"records": [' + b"[]," * (_SIZE // 3) + b"[]]}", headers=[JSON])


def _empty_members() -> bytes:
    member = gzip.compress(b"", mtime=0)
    return answer(member * (_SIZE // len(member)), headers=[JSON, "Content-Encoding: gzip"])


def _a_byte_in_each_chunk() -> bytes:
    head = f"HTTP/1.1 200 OK\r\n{JSON}\r\nTransfer-Encoding: chunked\r\n\r\n"
    return head.encode() + b"1\r\n \r\n" * _SIZE


_ANSWERS = {
    "a thousand records with odd fields": _odd_fields,
    "a record with ten thousand odd numbers": _odd_numbers,
    "a thousand records with odd phones": _odd_phones,
    "a list of a million elements": _many_elements,
    "countless lists": _many_containers,
    "empty gzip members": _empty_members,
    "a byte in each chunk": _a_byte_in_each_chunk,
}


@cache
def _made(name: str) -> bytes:
    return _ANSWERS[name]()


def _play(name: str) -> Script:
    def script(connection: Connection, _asked: Asked) -> bool:
        connection.send(_made(name))
        return True

    return script


def _endless_continue(connection: Connection, _asked: Asked) -> bool:
    connection.send_for_ever(b"HTTP/1.1 100 Continue\r\n\r\n" * 1000)
    return False


HOSTILE: dict[str, Script] = {name: _play(name) for name in _ANSWERS} | {"endless 100 Continue": _endless_continue}
