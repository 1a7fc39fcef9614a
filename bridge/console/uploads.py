"""What a browser sends: how large it may be, and where it is meanwhile, which is in memory and never on a disk.

Every form is small but the one with a file to be looked at. A file has no name anywhere: it is gone with its request,
also if the console is killed.
"""

import os
import time
from typing import IO, Any

from flask import Request

from bridge.insight.line_mask import LineMask
from bridge.sdk.secrets import Redaction

LARGEST_FORM = 64 * 1024
LARGEST_FILE = 20_000_000
"""Bytes of the largest file that is looked at, of 300 000 customers or so."""

TAKES_A_FILE = "files.look"
"""The endpoint whose form has a file in it."""

_AROUND_A_FILE = 64 * 1024
_MOST_HEARD, _PIECE, _PATIENCE = 10 * LARGEST_FILE, 64 * 1024, 60.0
_LONGEST_STEM, _LONGEST_ENDING = 60, 8

_mask = LineMask(Redaction())


class ConsoleRequest(Request):
    """A request with forms as large as they may be; a file in it is the kernel's, in memory."""

    def __init__(self, *given: Any, **named: Any) -> None:  # noqa: ANN401 - Werkzeug's own
        super().__init__(*given, **named)
        self._streams: list[IO[bytes]] = []

    @property  # type: ignore[misc]  # Flask lets it be set since 3.1, and not before
    def max_content_length(self) -> int | None:  # type: ignore[override]
        """The most bytes that are read of it."""
        return LARGEST_FILE + _AROUND_A_FILE if self.endpoint == TAKES_A_FILE else LARGEST_FORM

    @property  # type: ignore[misc]
    def max_form_memory_size(self) -> int | None:  # type: ignore[override]
        """The most bytes of what is typed into one field: room for what Werkzeug reads at a time, and some over."""
        return 2 * LARGEST_FORM

    def close(self) -> None:
        """Give its files back, also those of a form that could not be read to its end."""
        super().close()
        for stream in self._streams:
            stream.close()

    def _get_file_stream(
        self,
        total_content_length: int | None,  # noqa: ARG002 - Werkzeug's own signature
        content_type: str | None,  # noqa: ARG002
        filename: str | None = None,  # noqa: ARG002
        content_length: int | None = None,  # noqa: ARG002
    ) -> IO[bytes]:
        stream = os.fdopen(os.memfd_create("upload"), "w+b")
        self._streams.append(stream)
        return stream


def hear_out(sent: Request) -> None:
    """Read on what a browser sends, and forget it: one that is cut off shows an error of its own and not our answer."""
    end, left, stream = time.monotonic() + _PATIENCE, _MOST_HEARD, sent.environ["wsgi.input"]
    while left > 0 and time.monotonic() < end and (piece := stream.read(_PIECE)):
        left -= len(piece)


def shown_name(sent: str | None) -> str:
    """Return what a file is called in messages: by its last part alone, on one line, not too long, numbers masked."""
    name = " ".join((sent or "").replace("\\", "/").rpartition("/")[2].split())
    stem, dot, ending = name.rpartition(".")
    if not stem:
        stem, dot, ending = name, "", ""
    cut = f"{stem[:_LONGEST_STEM]}…" if len(stem) > _LONGEST_STEM else stem
    return _mask(f"{cut}{dot}{ending[:_LONGEST_ENDING]}") or "customers"
