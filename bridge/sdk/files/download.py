"""Asking for a file at an address once: what comes is the file, or a refusal that says what to do.

What lies between a link and its file answers with a page and the status 200: a sign-in, a request for access, a
preview. None of them is a table, and none may take the place of one.
"""

import io
from dataclasses import dataclass, replace
from typing import ClassVar, Self

from bridge.sdk.deadline import Deadline
from bridge.sdk.disk.file_kind import kind_of
from bridge.sdk.errors import SourceRejected, UnexpectedAnswer
from bridge.sdk.files.settings import FileSettings
from bridge.sdk.files.share_links import DRIVE, GOOGLE, Format, download_address
from bridge.sdk.http.address import origin
from bridge.sdk.http.client import HttpClient, HttpSettings
from bridge.sdk.http.credentials import NoAuth, signed
from bridge.sdk.http.messages import Request, Response, refuse_failure

_NOT_MODIFIED = 304
_SIGN_IN = {401, 403, 407}
_NOT_THERE = {404, 410}
_TRY_LATER = {408, 425, 429, *range(500, 600)}
_GOOD = 200
_SHARING = {
    GOOGLE: "in the sheet: Share (Chia sẻ) > General access (Quyền truy cập chung) > Anyone with the link (Bất kỳ ai "
    "có đường liên kết) > Viewer (Người xem), or File > Share > Publish to web",
    DRIVE: "on the file: Share (Chia sẻ) > General access (Quyền truy cập chung) > Anyone with the link (Bất kỳ ai có "
    "đường liên kết) > Viewer (Người xem)",
}
_ANY_SHARING = "open the address in a private window of the browser: without signing in it has to download the file"


class _Settings(HttpSettings):
    address_key: ClassVar[str] = "url"


@dataclass(frozen=True, slots=True)
class Version:
    """By what a server knows again which version of a file we have; texts as it wrote them, or nothing."""

    etag: str = ""
    modified: str = ""

    @classmethod
    def of(cls, response: Response) -> Self:
        """Return the version that was answered."""
        return cls(response.headers.get("ETag", ""), response.headers.get("Last-Modified", ""))

    def asked_for(self, request: Request) -> Request:
        """Return the request for a newer one only (RFC 9110, sections 13.1.2 and 13.1.3)."""
        asked = {"If-None-Match": self.etag, "If-Modified-Since": self.modified}
        return replace(request, headers={**request.headers, **{name: text for name, text in asked.items() if text}})


class Downloader:
    """Asks for the file at the `url` of the settings, in the form that is wanted if there is a choice."""

    def __init__(self, settings: FileSettings, wanted: Format) -> None:
        if settings.url is None:
            raise ValueError("there is no address")
        self.address = download_address(settings.url.get_secret_value(), wanted)
        self.host = origin(self.address).host
        self._settings = settings
        self._client = HttpClient(
            _Settings(tls=settings.tls, max_response_size=settings.max_response_size, max_redirects=5)
        )

    def fetch(self, known: Version) -> tuple[bytes, Version] | None:
        """Return the file and its version, None if it is still the one that is known.

        Takes `download_timeout` at most. Raises SourceError if there is none, or something else in its place.
        """
        request = Request("GET", self.address, headers={"Accept": "*/*"}, goes_anywhere=True)
        request = known.asked_for(signed(request, self._settings.auth))
        response = self._client.send(request, Deadline.after(self._settings.download_timeout))
        if response.status == _NOT_MODIFIED and known != Version():
            return None
        self._refuse(response)
        return response.body, Version.of(response)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _refuse(self, response: Response) -> None:
        """Raise the SourceError that an answer means which is not the file."""
        remedy, told = self._remedy(), f"{response.host} answered {response.status}"
        if response.status in _SIGN_IN:
            raise SourceRejected(f"{told}: it does not show the file: {remedy}")
        if response.status in _NOT_THERE:
            raise UnexpectedAnswer(
                f"{told}: there is no such file any more, or it is not shared: copy its link again and write it in url"
            )
        if response.status in _TRY_LATER:
            refuse_failure(response)
        if response.status != _GOOD:
            raise UnexpectedAnswer(f"{told} instead of a file: is the address right?")
        if _is_a_page(response.body):
            elsewhere = f" of {response.host}" if response.host != self.host else ""
            raise UnexpectedAnswer(
                f"{self.host} answers with a web page{elsewhere} instead of the file, such as a sign-in: {remedy}"
            )

    def _remedy(self) -> str:
        """Say how the file comes to be shown."""
        if not isinstance(self._settings.auth, NoAuth):
            return "are the credentials under auth right, and may they read the file?"
        return _SHARING.get(self.host, _ANY_SHARING)


def _is_a_page(body: bytes) -> bool:
    """Tell by the content: many a script calls a table text/html, which is PHP's default."""
    kind = kind_of(io.BytesIO(body))
    return kind is not None and "HTML" in kind.name
