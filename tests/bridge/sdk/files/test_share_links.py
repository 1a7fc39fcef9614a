import base64

import pytest

from bridge.sdk.files.share_links import download_address, is_google_sheet

ID = "1aBcDeFgHiJkLmNoPqRsTuVwXyZ0123456789-_abcde"
SHEET = f"https://docs.google.com/spreadsheets/d/{ID}"
DRIVE = "https://drive.google.com"
PUBLISHED = "https://docs.google.com/spreadsheets/d/e/2PACX-1vAbCdEf_gH"


@pytest.mark.parametrize(
    ("link", "address"),
    [
        (f"{SHEET}/edit?gid=123#gid=123", f"{SHEET}/export?format=csv&gid=123"),
        (f"{SHEET}/edit#gid=123", f"{SHEET}/export?format=csv&gid=123"),
        (f"{SHEET}/edit?usp=sharing", f"{SHEET}/export?format=csv"),
        (f"{SHEET}/view", f"{SHEET}/export?format=csv"),
        (SHEET, f"{SHEET}/export?format=csv"),
        (f"https://docs.google.com/spreadsheets/u/1/d/{ID}/edit", f"{SHEET}/export?format=csv"),
        (f"{SHEET}/export?format=csv&gid=7", f"{SHEET}/export?format=csv&gid=7"),
        (f"{SHEET}/edit?gid=lan", f"{SHEET}/export?format=csv"),
        (f"{SHEET}/edit?resourcekey=0-x#gid=5", f"{SHEET}/export?format=csv&gid=5&resourcekey=0-x"),
        (f"{PUBLISHED}/pubhtml", f"{PUBLISHED}/pub?output=csv"),
        (f"{PUBLISHED}/pubhtml?gid=9&single=true", f"{PUBLISHED}/pub?gid=9&single=true&output=csv"),
        (f"{PUBLISHED}/pub?output=csv", f"{PUBLISHED}/pub?output=csv"),
        (f"{DRIVE}/file/d/{ID}/view?usp=sharing", f"{DRIVE}/uc?export=download&id={ID}"),
        (f"{DRIVE}/file/u/0/d/{ID}/edit?resourcekey=0-x", f"{DRIVE}/uc?export=download&id={ID}&resourcekey=0-x"),
        (f"{DRIVE}/open?id={ID}&usp=drive_copy", f"{DRIVE}/uc?export=download&id={ID}"),
        (f"{DRIVE}/drive/folders/{ID}?usp=sharing", f"{DRIVE}/drive/folders/{ID}?usp=sharing"),
        (
            "https://www.dropbox.com/scl/fi/x/khach.csv?rlkey=y&dl=0",
            "https://www.dropbox.com/scl/fi/x/khach.csv?rlkey=y&dl=1",
        ),
        ("https://www.dropbox.com/s/abcdefghijklmno/a.csv", "https://www.dropbox.com/s/abcdefghijklmno/a.csv?dl=1"),
        ("https://cloud.congty.example/s/aBc123DeF456xyZ", "https://cloud.congty.example/s/aBc123DeF456xyZ/download"),
        (
            "https://congty.example/nextcloud/index.php/s/aBc123DeF456xyZ/",
            "https://congty.example/nextcloud/index.php/s/aBc123DeF456xyZ/download",
        ),
        (
            "https://congty.sharepoint.com/:x:/s/sales/EaBcD?e=x1",
            "https://congty.sharepoint.com/:x:/s/sales/EaBcD?e=x1&download=1",
        ),
        ("https://congty.sharepoint.com/sites/sales/a.csv", "https://congty.sharepoint.com/sites/sales/a.csv"),
        ("https://congty.example/export?key=a%2Bb&sig=c/d%3D", "https://congty.example/export?key=a%2Bb&sig=c/d%3D"),
        ("https://congty.example/khách hàng.csv#x", "https://congty.example/kh%C3%A1ch%20h%C3%A0ng.csv"),
        ("http://127.0.0.1:8000/a.csv", "http://127.0.0.1:8000/a.csv"),
    ],
)
def test_a_link_leads_to_the_address_of_its_file_and_that_leads_to_itself(link: str, address: str) -> None:
    assert download_address(link, "csv") == address
    assert download_address(address, "csv") == address


def test_a_workbook_is_the_whole_of_a_sheet() -> None:
    assert download_address(f"{SHEET}/edit?gid=123#gid=123", "xlsx") == f"{SHEET}/export?format=xlsx"
    assert download_address(f"{PUBLISHED}/pubhtml", "xlsx") == f"{PUBLISHED}/pub?output=xlsx"


def test_a_link_of_onedrive_is_asked_for_by_the_link_itself() -> None:
    link = "https://1drv.ms/x/s!AbC?e=dEf"
    token = (
        download_address(link, "csv")
        .removeprefix("https://api.onedrive.com/v1.0/shares/u!")
        .removesuffix("/root/content")
    )
    assert base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode() == link


def test_only_a_sheet_of_google_is_one() -> None:
    assert is_google_sheet(f"{SHEET}/edit")
    assert is_google_sheet(f"{PUBLISHED}/pubhtml")
    for other in ("https://docs.google.com/document/d/x/edit", f"https://evil.example/spreadsheets/d/{ID}", SHEET[:40]):
        assert not is_google_sheet(other)
