"""A workbook of Excel or LibreOffice, opened in a process of its own: `workbook_child` says why.

What the file is, is seen by its content and not by its name. Of a file that cannot be read as a whole nothing is used,
and what is wrong with it is told in words.
"""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from bridge.sdk.disk.file_kind import kind_of
from bridge.sdk.errors import UnexpectedAnswer
from bridge.sdk.tables.text_file import give_others_their_turn, opened, unreadable

Row = tuple[int, list[str]]
"""Its number as Excel shows it, and its cells up to the last that is not blank."""

_MEMORY = 2 << 30  # bytes of address space: 60 million cells, blank ones too
_SECONDS = 60  # a million rows take five
_CHILD = Path(__file__).with_name("workbook_child.py")
_SAMPLE = 512
_ROWS_IN_A_TURN = 256
_LOCKS = ("~$", ".~lock.")
_SAVE = "open it in Excel and save it as an Excel workbook (.xlsx)"
_FAR_CELL = (
    "probably a cell far below or right of the table is filled: Ctrl+End leads to it: delete what lies out there"
)
_REASONS = {
    "password": "is protected by a password, which nobody types here: in Excel, under File > Info > Protect Workbook > "
    "Encrypt with Password (Tệp > Thông tin > Bảo vệ sổ làm việc > Mã hóa bằng mật khẩu), clear it, and save",
    "damaged": "is damaged or half-written: save it once more",
    "unreadable": f"cannot be read: it is damaged, or a cell far away from the table is filled: {_SAVE}",
    "memory": f"takes more than {_MEMORY >> 30} GB of memory: {_FAR_CELL}",
    "killed": f"takes more memory than there is for it here: {_FAR_CELL}",
    "time": f"takes too long to be read: {_FAR_CELL}",
}
_ENDED_BY = {-signal.SIGALRM: "time", -signal.SIGABRT: "memory", -signal.SIGKILL: "killed"}


@dataclass(frozen=True, slots=True)
class Head:
    """How a sheet begins: its first rows, its `width` in columns, and how many blank ones are `left` of them."""

    name: str
    left: int
    width: int
    rows: Sequence[Row]


class Workbook:
    """An open workbook: `sheets` are the names of its sheets, and whether each is shown; close it.

    Everything that is asked of it raises SourceUnavailable if the file cannot be read now, and UnexpectedAnswer if it
    is no workbook that can be read; `seconds` is how long opening may take, `name` what messages call it.
    """

    def __init__(self, path: Path, *, name: str = "", seconds: float = _SECONDS) -> None:
        self.name = name or path.name
        with opened(path) as file:
            try:
                self._refuse_others(file)
                limits = map(str, (file.fileno(), _MEMORY, seconds))
                self._process = subprocess.Popen(  # noqa: S603 - our own script
                    [sys.executable, "-P", str(_CHILD), *limits],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,  # where a library tells what it was at when it gave up
                    pass_fds=(file.fileno(),),
                )
            except OSError as error:
                raise unreadable(path, error) from None
        try:
            self.sheets = cast("Sequence[tuple[str, bool]]", self._heard())
        except BaseException:
            self.close()
            raise

    def heads(self, names: Sequence[str]) -> Sequence[Head]:
        """Open these sheets, once, and return how each begins."""
        self._say(names)
        return [Head(*one) for one in cast("Sequence[tuple[str, int, int, Sequence[Row]]]", self._heard())]

    def rows(self, sheet: str) -> Iterator[Row]:
        """Give the rows of a sheet that was opened, but blank ones."""
        self._say([sheet])
        count = 0
        while row := cast("Row | None", self._heard()):
            count += 1
            if count % _ROWS_IN_A_TURN == 0:
                give_others_their_turn()
            yield row

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe:
                with suppress(BrokenPipeError):
                    pipe.close()
        self._process.wait()

    def _refuse_others(self, file: BinaryIO) -> None:
        """Raise UnexpectedAnswer if the file is clearly no workbook, saying what it is."""
        kind, beginning = kind_of(file), file.read(_SAMPLE)
        if kind and kind.is_workbook:
            return
        if self.name.startswith(_LOCKS):
            told = "is what lies beside a workbook while it is open: name the workbook itself"
        elif not beginning:
            told = "is empty"
        elif kind:
            told = f"is {kind.name} and no workbook, whatever its name ends with: {_SAVE}"
        elif b"\0" in beginning:
            told = f"is no workbook, whatever its name ends with: {_SAVE}"
        else:
            told = "is a text, such as CSV, whatever its name ends with: write csv instead of xlsx"
        raise UnexpectedAnswer(f"{self.name}: {told}")

    def _say(self, names: Sequence[str]) -> None:
        pipe = self._process.stdin
        with suppress(BrokenPipeError):  # what has become of the other side is heard next
            if pipe:
                pipe.write(f"{json.dumps(names)}\n".encode("ascii"))
                pipe.flush()

    def _heard(self) -> object:
        """Return what the process says next; raises SourceError if it says why there is nothing, or says nothing."""
        pipe = self._process.stdout
        line = pipe.readline() if pipe else b""
        said = json.loads(line) if line.endswith(b"\n") else ""
        if not isinstance(said, str):
            return said
        reason = said or _ENDED_BY.get(self._process.wait(), "unreadable")
        raise UnexpectedAnswer(f"{self.name}: {_REASONS[reason]}")
