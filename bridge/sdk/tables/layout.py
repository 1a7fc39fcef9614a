"""Which column of a list of customers is which: usual headers in English and Vietnamese, or what the admin says.

Only a header that says of itself that it is about the one who looks after the customer counts as the owner's: a plain
`email`, `name` or `id` is the customer's own. Nothing is guessed among several: a wrong owner is worse than none.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bridge.sdk.errors import UnexpectedAnswer
from bridge.sdk.tables.table import Table, find_columns, header_key, listed, only_column, shown

MEANINGS: Mapping[str, str] = {
    "owner": "the owner",
    "owner_id": "the owner's id",
    "email": "the owner's e-mail",
    "login": "the owner's login",
    "name": "the owner's name",
    "extension": "the extension",
}
"""What can be known about an owner, by the key under `columns`, and how people call it."""

_ROLES: Mapping[str, Sequence[str]] = {
    "owner": (
        *(
            "chủ sở hữu",
            "owner",
            "contact owner",
            "account owner",
            "lead owner",
            "customer owner",
            "record owner",
            "agent",
        ),
        *("assignee", "assigned to", "assigned user", "responsible", "responsible user"),
        *("phụ trách", "người phụ trách", "nhân viên", "nhân viên phụ trách", "NV", "NV phụ trách", "người được giao"),
        *("cán bộ phụ trách", "phụ trách khách hàng", "người phụ trách khách hàng", "nhân viên phụ trách khách hàng"),
    ),
    "sales": (
        *("sales", "sale", "sales rep", "salesperson", "seller", "nhân viên sale", "nhân viên sales"),
        *("nhân viên kinh doanh", "NVKD", "nhân viên bán hàng", "người bán hàng"),
        *("saler", "salesman", "sale phụ trách", "sales phụ trách", "NV sale", "NV sales", "NV kinh doanh"),
        *("NV bán hàng", "NVBH", "chuyên viên kinh doanh"),
    ),
    "care": (
        *("nhân viên chăm sóc", "người chăm sóc", "nhân viên CSKH", "NV chăm sóc", "NV CSKH", "chuyên viên chăm sóc"),
        *("nhân viên chăm sóc khách hàng", "người chăm sóc khách hàng", "chuyên viên CSKH"),
    ),
    "adviser": (
        *("chuyên viên", "chuyên viên phụ trách", "chuyên viên tư vấn", "chuyên viên khách hàng"),
        *("tư vấn viên", "nhân viên tư vấn", "NV tư vấn", "người tư vấn"),
    ),
    "manager": ("account manager", "người quản lý", "nhân viên quản lý"),
}
"""Who may look after a customer. A file may name several of them, and they are different people."""

_PHONE = (
    *("phone", "phone number", "phone numbers", "phone no", "telephone", "telephone number", "tel", "tel no"),
    *("mobile", "mobile phone", "mobile number", "mobile no", "cell", "cell phone", "cellphone", "landline"),
    *("home phone", "work phone", "business phone", "office phone", "other phone", "primary phone", "main phone"),
    *("contact phone", "contact number", "customer phone", "customer phone number", "customer mobile"),
    *("SĐT", "số ĐT", "ĐT", "ĐTDĐ", "số điện thoại", "điện thoại", "di động", "số di động", "điện thoại di động"),
    *("số điện thoại di động", "số điện thoại bàn", "điện thoại bàn", "điện thoại cố định", "số điện thoại cố định"),
    *("SĐT khách hàng", "SĐT KH", "SĐT khách", "số điện thoại khách hàng", "điện thoại khách hàng", "số liên hệ"),
    *("ĐT di động", "ĐT cơ quan", "ĐT khác", "ĐT bàn", "ĐT nhà riêng", "ĐT cố định", "SĐT di động", "SĐT khác"),
    *("điện thoại cơ quan", "điện thoại khác", "điện thoại nhà riêng", "số điện thoại khác", "SĐT cơ quan"),
    *("điện thoại liên hệ", "số điện thoại liên hệ", "SĐT liên hệ", "SĐT chính", "SĐT phụ"),
)
_EXTENSION = (
    *(
        "extension",
        "extensions",
        "extension number",
        "ext",
        "ext no",
        "owner extension",
        "owner ext",
        "agent extension",
    ),
    *("máy lẻ", "số máy lẻ", "số lẻ", "số nội bộ", "máy nội bộ", "số máy nội bộ", "máy nhánh", "số máy nhánh", "nhánh"),
)

_AROUND_ROLE: Mapping[str, Sequence[str]] = {
    "owner": ("{}",),
    "owner_id": ("{} id", "id {}", "mã {}", "mã số {}"),
    "email": ("{} email", "email {}", "{} mail", "mail {}"),
    "login": ("{} login", "{} username", "{} user", "tài khoản {}", "tên đăng nhập {}"),
    "name": ("{} name", "tên {}", "họ tên {}"),
    "extension": ("{} extension", "{} ext", "máy lẻ {}", "số máy lẻ {}", "số nội bộ {}"),
}
_ROLE_OF = {
    header_key(pattern.format(name)): role
    for role, names in _ROLES.items()
    for name in names
    for patterns in _AROUND_ROLE.values()
    for pattern in patterns
}
_KNOWN: Mapping[str, Sequence[str]] = {
    meaning: [pattern.format(name) for names in _ROLES.values() for name in names for pattern in patterns]
    + [*(_EXTENSION if meaning == "extension" else ())]
    for meaning, patterns in _AROUND_ROLE.items()
}


HEADINGS = frozenset(map(header_key, (*_PHONE, *(name for names in _KNOWN.values() for name in names))))
"""What of a header counts, of all that are known: two of them in one row are no customer's."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Which columns hold what: at least one with telephone numbers, and at least one that leads to the owner."""

    phones: tuple[int, ...]
    owner: Mapping[str, int]

    @classmethod
    def of(cls, table: Table, configured: Mapping[str, Sequence[str]]) -> "Layout":
        """Find the columns. If one of the owner's is configured, no others are looked for.

        Raises UnexpectedAnswer, listing the columns that are there, if one is missing or several could be meant.
        """
        by_name = not any(configured.get(meaning) for meaning in MEANINGS)
        known = {"phone": _PHONE, **{meaning: _KNOWN[meaning] if by_name else () for meaning in MEANINGS}}
        columns = table.columns
        try:
            found = find_columns(columns, known, configured)
            only = {what: only_column(columns, found[what], what, words) for what, words in MEANINGS.items()}
            layout = cls(found["phone"], {what: index for what, index in only.items() if index is not None})
            layout.check(columns, roles=by_name)
        except ValueError as error:
            raise UnexpectedAnswer(f"{table.name}: {error}") from None
        return layout

    def check(self, columns: Sequence[str], *, roles: bool) -> None:
        """Raise ValueError if something is missing or, where `roles` count, if the headers mean different people."""
        whose = {role: columns[at] for at in self.owner.values() if (role := _ROLE_OF.get(header_key(columns[at])))}
        if roles and len(whose) > 1:
            several = ", ".join(map(shown, whose.values()))
            problem = f"{several} could be different people: name the owner's under `columns:`"
        elif not self.phones:
            problem = "no column is known to hold telephone numbers: name it under `columns: {phone: …}`"
        elif not self.owner:
            problem = (
                "no column is known to name the owner: name it under `columns: {owner: 'Header'}`, "
                "or as `{email: …}` or `{extension: …}`"
            )
        else:
            return
        raise ValueError(f"{problem}; the file has: {listed(columns)}")
