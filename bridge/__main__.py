"""The program: `omi-bridge`, or `python -m bridge`."""

from typing import NoReturn

from bridge.commands.main import main
from bridge.resilience.thread_leaks import end_process


def run() -> NoReturn:
    """Run a command, and end without waiting for threads that a connector may have left behind."""
    try:
        main()
    except SystemExit as end:
        end_process(end.code if isinstance(end.code, int) else int(bool(end.code)))
    end_process(0)


if __name__ == "__main__":
    run()
