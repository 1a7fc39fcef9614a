"""Answers without a body that cost no thread: for what is no proper request, and for whom there is no time."""

from gunicorn.http.errors import LimitRequestHeaders, LimitRequestLine, ParseException


def bare_answer(status_line: str, *headers: str) -> bytes:
    """Write an answer that ends its connection."""
    return "\r\n".join(
        (
            f"HTTP/1.1 {status_line}",
            "Content-Type: text/plain; charset=utf-8",
            "Content-Length: 0",
            "Cache-Control: no-store",
            *headers,
            "Connection: close\r\n\r\n",
        )
    ).encode("ascii")


def status_line(error: BaseException) -> str:
    """Return the status of RFC 9110 and RFC 6585 for a request that could not be read."""
    if isinstance(error, LimitRequestLine):
        return "414 URI Too Long"
    if isinstance(error, LimitRequestHeaders):
        return "431 Request Header Fields Too Large"
    return "400 Bad Request" if isinstance(error, ParseException) else "500 Internal Server Error"


UNAVAILABLE = bare_answer("200 OK", "X-Bridge-Outcome: unavailable")
UNAUTHORIZED = bare_answer("401 Unauthorized", "X-Bridge-Outcome: unauthorized")
FORBIDDEN = bare_answer("403 Forbidden", "X-Bridge-Outcome: unauthorized")
HEAD_TOO_LONG = bare_answer("431 Request Header Fields Too Large")
