"""From the link that somebody copied in the browser to the address at which the file itself is downloaded.

A link that is given away leads to a page around the file. What is not known here is left as it is written. Sources:
- Google: https://docs.google.com/spreadsheets/d/ID/export?format=csv&gid=GID is what "Download" asks for, and
  .../d/e/ID/pub?output=csv what "Publish to web" gives (https://support.google.com/docs/answer/183965).
- Google Drive: https://drive.google.com/uc?export=download&id=ID, as others' programs ask
  (https://github.com/wkentaro/gdown); in place of a large file comes a page, which is refused.
- Dropbox: https://help.dropbox.com/share/force-download
- Nextcloud: https://docs.nextcloud.com/server/latest/user_manual/en/files/sharing.html (/s/TOKEN/download)
- OneDrive: https://learn.microsoft.com/onedrive/developer/rest-api/api/shares_get; SharePoint's own button for a
  file that is shared with anyone adds download=1.
"""

import base64
import re
from collections.abc import Mapping
from typing import Literal
from urllib.parse import SplitResult, parse_qsl, quote, urlencode, urlsplit, urlunsplit

Format = Literal["csv", "xlsx"]

GOOGLE, DRIVE = "docs.google.com", "drive.google.com"
_SHEET = re.compile(r"/spreadsheets/(?:u/\d+/)?d/(?P<published>e/)?(?P<id>[A-Za-z0-9_-]{10,})(?:/|\Z)")
_IN_DRIVE = re.compile(r"/(?:a/[\w.-]+/)?file/(?:u/\d+/)?d/(?P<id>[A-Za-z0-9_-]{10,})(?:/|\Z)")
_NEXTCLOUD = re.compile(r"(?:/.*)?/s/[A-Za-z0-9]{15}/?")
_UNRESERVED = "!$%&'()*+,/:;=?@[]~"


def is_google_sheet(link: str) -> bool:
    """Tell whether a link leads to a table of Google Sheets."""
    parts = urlsplit(link)
    return parts.hostname == GOOGLE and _SHEET.match(parts.path) is not None


def download_address(link: str, wanted: Format) -> str:
    """Return where the file behind a link is downloaded, in the form that is wanted if there is a choice."""
    parts = urlsplit(quote(link, safe=f"{_UNRESERVED}#"))
    host, query = parts.hostname or "", dict(parse_qsl(parts.query, keep_blank_values=True))
    if host == GOOGLE and (found := _SHEET.match(parts.path)):
        return _google(found, {**dict(parse_qsl(parts.fragment)), **query}, wanted)
    if host == DRIVE:
        return _drive(parts, query)
    if host == "1drv.ms":
        token = base64.urlsafe_b64encode(urlunsplit(parts._replace(fragment="")).encode()).decode().rstrip("=")
        return f"https://api.onedrive.com/v1.0/shares/u!{token}/root/content"
    if added := _added(host, parts.path):
        return urlunsplit(parts._replace(query=urlencode({**query, **added}), fragment=""))
    if _NEXTCLOUD.fullmatch(parts.path) and not parts.query:
        return urlunsplit(parts._replace(path=f"{parts.path.rstrip('/')}/download", fragment=""))
    return urlunsplit(parts._replace(fragment=""))


def _google(found: re.Match[str], chosen: Mapping[str, str], wanted: Format) -> str:
    """Return the address of one sheet, the first if the link chooses none; the whole workbook for xlsx."""
    sheet = {"gid": chosen["gid"]} if chosen.get("gid", "").isdigit() and wanted == "csv" else {}
    if found["published"]:
        single = {"single": "true"} if sheet else {}
        query = {**sheet, **single, "output": wanted}
        return f"https://{GOOGLE}/spreadsheets/d/e/{found['id']}/pub?{urlencode(query)}"
    shared = {"resourcekey": chosen["resourcekey"]} if "resourcekey" in chosen else {}
    return f"https://{GOOGLE}/spreadsheets/d/{found['id']}/export?{urlencode({'format': wanted, **sheet, **shared})}"


def _drive(parts: SplitResult, query: Mapping[str, str]) -> str:
    """Return the address of a file in Google Drive; of a folder there is none."""
    found = _IN_DRIVE.match(parts.path)
    id_ = found["id"] if found else query.get("id", "")
    key = {"resourcekey": query["resourcekey"]} if "resourcekey" in query else {}
    asked = parts._replace(path="/uc", query=urlencode({"export": "download", "id": id_, **key})) if id_ else parts
    return urlunsplit(asked._replace(fragment=""))


def _added(host: str, path: str) -> Mapping[str, str]:
    """Return what is added to a link that leads to a page, for it to lead to the file."""
    if host in {"dropbox.com", "www.dropbox.com"}:
        return {"dl": "1"}
    return {"download": "1"} if host.endswith(".sharepoint.com") and path.startswith("/:") else {}
