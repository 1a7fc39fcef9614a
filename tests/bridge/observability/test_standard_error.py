"""Standard error whose other end does not read, is closed or full: nobody waits, and what is lost is counted."""

import fcntl
import itertools
import os
import select
import threading
import time
from contextlib import contextmanager, suppress

import pytest

from bridge.observability.standard_error import Printed, StandardError
from tests.support.kept import until

SMALLEST_PIPE = 4096
NUMBERS = itertools.count(500)
"""Of descriptors: a thread that a test leaves behind may not write to the next test's pipe."""


@contextmanager
def pipe(size=SMALLEST_PIPE):
    """Give both ends of a pipe that holds so many bytes, and close what is still open."""
    reading, low = os.pipe()
    writing = fcntl.fcntl(low, fcntl.F_DUPFD, next(NUMBERS))
    os.close(low)
    fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, size)
    try:
        yield reading, writing
    finally:
        for end in (reading, writing):
            with suppress(OSError):
                os.close(end)


def behind(descriptor: int) -> StandardError:
    made = StandardError(descriptor)
    made.write_behind()
    return made


def read_until(reading: int, text: bytes) -> bytes:
    read = b""
    end = time.monotonic() + 10
    while text not in read and time.monotonic() < end:
        read += os.read(reading, 65536)
    return read


def refuse_threads(_thread: threading.Thread) -> None:
    raise RuntimeError("can't start new thread")


def test_nobody_waits_for_a_reader_that_has_stopped_and_what_is_lost_is_told_when_it_reads_again():
    with pipe() as (reading, writing):
        log = behind(writing)
        began = time.monotonic()
        for number in range(25_000):
            log.put(f"line {number}\n")
        log.flush()
        assert time.monotonic() - began < 5
        read = b""
        while told(read) < 25_000 and time.monotonic() - began < 10:
            if select.select([reading], [], [], 0.05)[0]:
                read += os.read(reading, 65536)
            else:  # what is lost is told with the next line
                log.put("again\n")
        assert told(read) == 25_000


def told(read: bytes) -> int:
    """Return how many lines came, in order, or are said to be lost."""
    lines = [line.split() for line in read[: read.rfind(b"\n") + 1].splitlines()]
    came = [int(words[1]) for words in lines if words[0] == b"line"]
    assert came == sorted(came)
    return len(came) + sum(int(words[0]) for words in lines if words[-1] == b"here")


def test_a_process_that_is_forked_while_the_log_is_stuck_has_a_log_of_its_own():
    with pipe() as (_, stuck), pipe() as (reading, writing):
        log = behind(stuck)
        for _ in range(5_000):
            log.put("of the parent\n")
        child = os.fork()
        if child == 0:
            os.dup2(writing, stuck)
            log.put("of the child\n")
            log.flush()
            os._exit(0)
        os.close(writing)
        assert os.waitpid(child, 0)[1] == 0
        assert os.read(reading, 65536) == b"of the child\n"
        assert os.read(reading, 65536) == b""


def test_without_a_thread_to_be_had_what_fits_is_written_and_nobody_waits(monkeypatch):
    with pipe(4 * SMALLEST_PIPE) as (reading, writing):
        log = behind(writing)
        monkeypatch.setattr(threading.Thread, "start", refuse_threads)
        for number in range(4_000):
            log.put(f"line {number}\n")
        monkeypatch.undo()
        assert os.read(reading, SMALLEST_PIPE).startswith(b"line 0\nline 1\n")
        log.put("again\n")
        assert b"lines are missing here\n" in read_until(reading, b"missing here\n")


def test_a_full_disk_loses_lines_and_says_so_when_there_is_room(tmp_path):
    descriptor = os.open("/dev/full", os.O_WRONLY)
    log = behind(descriptor)
    for _ in range(3):
        log.put("lost\n")
        log.flush()
    file = os.open(tmp_path / "log", os.O_CREAT | os.O_WRONLY)
    os.dup2(file, descriptor)
    log.put("written\n")
    log.flush()
    until(lambda: (tmp_path / "log").read_text() == "written\n3 lines are missing here\n")


def test_a_reader_that_has_gone_harms_nobody():
    with pipe() as (reading, writing):
        log = behind(writing)
        os.close(reading)
        log.put("for nobody\n")
        log.flush()
        with pipe() as (another, in_its_place):
            os.dup2(in_its_place, writing)
            log.put("for another\n")
            assert read_until(another, b"another\n").startswith(b"for another\n")


@pytest.mark.parametrize("pieces", [["one s3cret\ntwo"], ["one ", "s3cret", "\n", "two"]])
def test_what_is_printed_goes_where_the_log_goes_line_by_line_and_masked(pieces):
    with pipe() as (reading, writing):
        printed = Printed(behind(writing), lambda text: text.replace("s3cret", "***"))
        for piece in pieces:
            print(piece, end="", file=printed)
        assert read_until(reading, b"\n") == b"one ***\n"
