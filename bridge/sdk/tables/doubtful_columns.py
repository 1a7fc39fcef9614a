"""Columns that are read as told, and probably are not what they are read as: to be told, not to be refused."""

from collections.abc import Iterable, Iterator, Sequence

from bridge.sdk.tables.columns import header_key, shown

_NO_TELEPHONES = frozenset(
    map(
        header_key,
        (
            *("mã số thuế", "MST", "tax code", "tax id", "tax number", "VAT number", "mã số doanh nghiệp", "mã số DN"),
            *("CMND", "CCCD", "số CMND", "số CCCD", "CMND/CCCD", "căn cước", "số căn cước", "hộ chiếu", "passport"),
            *("số tài khoản", "STK", "account number", "bank account", "mã khách hàng", "mã KH", "customer id"),
            *("mã đơn hàng", "mã vận đơn", "order number", "order id", "tracking number", "fax", "số fax"),
        ),
    )
)
"""Headers of numbers that look like telephone numbers, and ring nobody or somebody else."""

_ENOUGH = 3


class RunningNumber:
    """Whether a column counts the rows, as `STT` does: 1, 2, 3 and so on, in each of them."""

    def __init__(self) -> None:
        self._rows = 0
        self._steady = True

    def look(self, cell: str) -> None:
        """Take note of the next row's cell."""
        if self._steady:
            self._rows += 1
            self._steady = cell.strip() == str(self._rows)

    def told(self, header: str) -> Iterator[str]:
        """Ask whether this column was meant, if it counts the rows."""
        if self._steady and self._rows >= _ENOUGH:
            yield f"{shown(header)} goes 1, 2, 3 … with the rows: is it the extension, or the number of the row?"


def told_of_telephones(columns: Sequence[str], phones: Iterable[int]) -> Iterator[str]:
    """Ask whether columns were meant that are called otherwise than telephone numbers."""
    for header in (columns[at] for at in phones):
        if header_key(header) in _NO_TELEPHONES:
            yield f"{shown(header)} is read as telephone numbers: by its name it holds others, which are no caller's"
