import pytest

from bridge.extensions.snapshot import as_text, from_text, is_text
from bridge.sdk import ExtensionEntry

ENTRY = ExtensionEntry(logins=("lan",), extensions=("101",))


def test_what_is_written_is_read_again():
    text = as_text([ENTRY])
    assert is_text(text)
    assert as_text(from_text(text)) == text


@pytest.mark.parametrize("damaged", [as_text([ENTRY])[:-1], b"", b"\xff", b"7", b'[{"ids": []}]', b"[" * 100_000])
def test_what_is_damaged_is_no_text(damaged):
    assert not is_text(damaged)
