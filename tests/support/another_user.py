"""What another user of the machine may not do: tests run as root become somebody else for it."""

import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import pytest

from bridge.local.packets import Line

NOBODY = 65534
"""The id of the user and of the group that own nothing."""

only_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")


@contextmanager
def as_nobody() -> Iterator[None]:
    """Be nobody in this block, as far as files are concerned; who is not root has no more rights anyway."""
    if os.geteuid() != 0:
        yield
        return
    group = os.getegid()
    os.setegid(NOBODY)
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(group)


def nobody_is_hung_up_on(address: str, question: Mapping[str, object]) -> bool:
    """Ask at one of the kernel's addresses in a process of nobody's; tell whether that is hung up on."""
    child = os.fork()
    if not child:
        os._exit(_ask_as_nobody(address, question))
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def _ask_as_nobody(address: str, question: Mapping[str, object]) -> int:
    try:
        os.setuid(NOBODY)
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as foreign:
            foreign.settimeout(10)
            foreign.connect(address)
            line = Line(foreign)
            line.send(question)
            return int(line.receive() is not None)
    except ConnectionResetError:
        return 0
    except OSError:
        return 2
