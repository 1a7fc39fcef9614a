"""Another process with the memory of a machine: a Python of its own that inherits the file."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from bridge.storage.machine import MachineMemory
from tests.support.documents import ROOT


@contextmanager
def another_process(memory: MachineMemory, program: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Run a program, whose first argument is the number of the memory's file; it is killed at the end of the block."""
    file = memory._file  # noqa: SLF001 - what a child inherits
    assert file is not None
    with subprocess.Popen(
        [sys.executable, "-c", program, str(file), *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        pass_fds=[file],
        cwd=ROOT,
    ) as process:
        try:
            yield process
        finally:
            process.kill()
