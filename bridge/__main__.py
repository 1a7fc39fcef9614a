"""The program: `omi-bridge`, or `python -m bridge`."""

import os
import signal
import sys
from pathlib import Path
from typing import NoReturn

_INTERRUPTED = 128 + signal.SIGINT
"""The status with which a shell tells of it."""


def run() -> NoReturn:
    """Run a command, and end without waiting for threads that a connector may have left behind."""
    _stand_on_firm_ground()
    try:
        from bridge.commands.main import main  # noqa: PLC0415 - it takes a second, and a signal may come before
        from bridge.resilience.thread_leaks import end_process  # noqa: PLC0415
    except KeyboardInterrupt:
        sys.exit(_INTERRUPTED)
    try:
        main()
    except SystemExit as end:
        end_process(end.code if isinstance(end.code, int) else int(bool(end.code)))
    end_process(0)


def _stand_on_firm_ground() -> None:
    """Make up for what a program expects of whoever starts it, and may miss.

    It is three open descriptors, for the log would else go into what takes the number of standard error; a folder,
    which may have been deleted; and a locale in which file names may be Vietnamese. And SIGHUP and SIGUSR1 are meant
    for a service that runs: they do not end one that starts.
    """
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest that is free
    try:
        Path.cwd()
    except FileNotFoundError:
        os.chdir("/")
    if sys.argv[1:2] == ["serve"]:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    if sys.getfilesystemencoding() != "utf-8" and os.environ.get("PYTHONUTF8") != "1":
        os.environ["PYTHONUTF8"] = "1"
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606 - this program itself


if __name__ == "__main__":
    run()
