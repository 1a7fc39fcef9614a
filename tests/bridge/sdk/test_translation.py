"""What a library raises is told in our words, and nothing of its own."""

import socket
import traceback

import pytest

from bridge.sdk import SourceRejected, SourceUnavailable, UnexpectedAnswer, told_as


class Refused(Exception):
    pass


class BadPassword(Refused):
    pass


ERRORS = {
    BadPassword: SourceRejected,
    Refused: SourceUnavailable,
    OSError: SourceUnavailable,
    ValueError: UnexpectedAnswer,
}


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (TimeoutError("t0p-secret"), SourceUnavailable, "the directory did not answer in time"),
        (ConnectionRefusedError("t0p-secret"), SourceUnavailable, "the directory refuses the connection"),
        (ConnectionResetError("t0p-secret"), SourceUnavailable, "the directory closed the connection"),
        (socket.gaierror("t0p-secret"), SourceUnavailable, "the directory has a name that cannot be resolved"),
        (OSError("t0p-secret"), SourceUnavailable, "the directory could not be asked (OSError)"),
        (Refused("t0p-secret"), SourceUnavailable, "the directory could not be asked (Refused)"),
        (BadPassword("t0p-secret"), SourceRejected, "the directory refuses (BadPassword)"),
        (
            ValueError("t0p-secret"),
            UnexpectedAnswer,
            "the directory answered something that cannot be read (ValueError)",
        ),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_the_first_entry_that_fits_decides_and_nothing_of_the_library_is_said(error, kind, words):
    with pytest.raises(kind) as caught, told_as(ERRORS, "the directory"):
        raise error
    assert str(caught.value) == words
    assert "t0p-secret" not in "".join(traceback.format_exception(caught.value))


def test_it_decorates_a_function_that_is_called_again_and_again():
    @told_as(ERRORS, "the directory")
    def ask(error):
        if error:
            raise error
        return "an answer"

    for _ in range(2):
        with pytest.raises(SourceUnavailable, match="did not answer in time"):
            ask(TimeoutError())
        assert ask(None) == "an answer"


def test_our_own_errors_and_bugs_pass_as_they_are():
    with pytest.raises(SourceRejected, match="no rights"), told_as({Exception: SourceUnavailable}, "the directory"):
        raise SourceRejected("no rights")
    with pytest.raises(KeyError), told_as(ERRORS, "the directory"):
        raise KeyError("a bug")
