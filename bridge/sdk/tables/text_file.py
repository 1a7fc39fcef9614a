"""Lines of text from a file whose encoding nobody wrote down, in bounded memory.

Vietnamese offices have three: UTF-8, UTF-16 (Excel's "Unicode text") and Windows-1258, whose tone marks are characters
of their own. Which of them it is follows from the bytes; text always comes out composed (NFC), so that "Số" is "Số".
The file is opened once, so that a guess and the reading that follows are about the same file even if it is replaced.
"""

import codecs
import io
import stat
import time
import unicodedata
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import BinaryIO

from bridge.sdk.disk.file_kind import kind_of
from bridge.sdk.disk.unreadable_file import why_unreadable
from bridge.sdk.errors import SourceUnavailable, UnexpectedAnswer

LONGEST_LINE = 1024 * 1024
"""Characters. A longer line is no table but an accident, and is refused before it fills the memory."""

_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_SAMPLE = 4096
_LINES_IN_A_TURN = 256


class TextFile:
    """A file read line by line; `line` is the number of the last one, counted from 1; `name` is what it is called.

    `beginning` are its first bytes. `ends_with_newline` tells, once all was read, whether the last line was finished.
    Raises SourceUnavailable if the file cannot be read now, UnexpectedAnswer if it is no text.
    """

    def __init__(self, path: Path, encoding: str | None = None, name: str = "") -> None:
        self.name = name or path.name
        self._path = path
        self.line = 0
        self.exhausted = False
        self.ends_with_newline = False
        binary = opened(path)
        try:
            _refuse_others(binary, self.name)
            self.beginning = binary.read(_SAMPLE)
            binary.seek(0)
            self.encoding = encoding or guess_encoding(binary)
        except OSError as error:
            binary.close()
            raise unreadable(path, error) from None
        except UnexpectedAnswer:
            binary.close()
            raise
        self._text = io.TextIOWrapper(binary, encoding=self.encoding, newline="")

    def __iter__(self) -> Iterator[str]:
        """Give the lines that are left, each with its line break."""
        try:
            for line in iter(partial(self._text.readline, LONGEST_LINE), ""):
                self.line += 1
                if self.line % _LINES_IN_A_TURN == 0:
                    give_others_their_turn()
                if len(line) == LONGEST_LINE:
                    raise self.error(f"the line is longer than {LONGEST_LINE} characters: is this a table?")
                if "\0" in line:
                    raise self.error("NUL bytes: the file is damaged or half-written, or set `encoding`")
                self.ends_with_newline = line.endswith(("\n", "\r"))
                composed = unicodedata.normalize("NFC", line)
                yield composed.removeprefix("\ufeff") if self.line == 1 else composed
        except UnicodeError:
            raise self.error(
                f"bytes that are not {self.encoding}: the file is damaged or half-written, or set `encoding`",
                line=self._line_of_the_wrong_bytes(),
            ) from None
        except OSError as error:
            raise unreadable(self._path, error) from None
        self.exhausted = True

    def error(self, problem: str, *, line: int | None = None) -> UnexpectedAnswer:
        """Make an error located at `line`, or at the line read last."""
        return UnexpectedAnswer(f"{self.name}:{line or self.line}: {problem}")

    def _line_of_the_wrong_bytes(self) -> int:
        """Look from the beginning: of the block that is read ahead nothing came out."""
        line, decoder, file = 1, codecs.getincrementaldecoder(self.encoding)(), self._text.buffer
        file.seek(0)
        while block := file.read(_SAMPLE):
            before, good = decoder.getstate(), []
            try:
                good.append(decoder.decode(block))
            except UnicodeError:
                decoder.setstate(before)
                with suppress(UnicodeError):
                    good.extend(decoder.decode(bytes([byte])) for byte in block)
                return line + _breaks_in("".join(good))
            line += _breaks_in(good[0])
        return line  # cut off within its last character

    def close(self) -> None:
        """Close the file."""
        self._text.close()


def guess_encoding(file: BinaryIO) -> str:
    """Return the encoding of the file's bytes and go back to its start.

    Without a byte-order mark: UTF-16 if every second byte of the beginning is mostly zero, UTF-8 if all bytes are,
    else Windows-1258. A file that has valid UTF-8 before the first byte that is not is a damaged one, and stays UTF-8.
    """
    sample = file.read(_SAMPLE)
    file.seek(0)
    for mark, encoding in _MARKS:
        if sample.startswith(mark):
            return encoding
    if zero_bytes := sample.count(0):
        for encoding, high_bytes in (("utf-16-le", sample[1::2]), ("utf-16-be", sample[0::2])):
            if high_bytes.count(0) == zero_bytes and zero_bytes > len(high_bytes) / 3:
                return encoding
    encoding = "utf-8" if _is_utf_8(file) else "windows-1258"
    file.seek(0)
    return encoding


def _breaks_in(text: str) -> int:
    """Count line breaks; one of old Macintoshes, which is none of two characters, counts as well."""
    return text.count("\n") or text.count("\r")


def _refuse_others(file: BinaryIO, name: str) -> None:
    """Raise UnexpectedAnswer if the file is clearly no CSV file, saying what it is."""
    if kind := kind_of(file, also_json=True):
        raise UnexpectedAnswer(f"{name}: is {kind.name}: {kind.remedy}")


def _is_utf_8(file: BinaryIO) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    only_ascii = True
    while chunk := file.read(LONGEST_LINE):
        give_others_their_turn()
        try:
            only_ascii &= decoder.decode(chunk).isascii()
        except UnicodeDecodeError as error:
            return not (only_ascii and error.object[: error.start].isascii())
        if len(chunk) == LONGEST_LINE and b"\n" not in chunk and b"\r" not in chunk:
            break  # A line that long is refused anyway: do not read a gigabyte to learn how it is encoded.
    return True


def give_others_their_turn() -> None:
    """Let threads that answer calls go first, for a large file is read while calls come in.

    Reading alone does not: it releases Python's lock so often and so briefly that who waits for it hardly ever gets it,
    and never waits long enough at a stretch to be given it (measured: up to a second, instead of some milliseconds).
    """
    time.sleep(0)  # gives Python's lock away, which nothing else does


def opened(path: Path) -> BinaryIO:
    """Open a file to read its bytes; raises SourceUnavailable if that cannot be now."""
    try:
        # Opening a pipe would wait for ever for its other end.
        if not stat.S_ISREG(path.stat().st_mode):
            raise SourceUnavailable(f"{path.name}: is a folder or a device, not a file")
        return path.open("rb", buffering=1 << 18)
    except OSError as error:
        raise unreadable(path, error) from None


def unreadable(path: Path, error: OSError) -> SourceUnavailable:
    """Make the error that says why a file cannot be read now."""
    cannot = "" if isinstance(error, FileNotFoundError) else "cannot be read: "
    return SourceUnavailable(f"{path.name}: {cannot}{why_unreadable(path, error)}")
