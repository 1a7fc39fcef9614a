"""The headers that exports of CRMs, address books and shops have, and people's own lists, in English and Vietnamese.

Only a header that says of itself that it is about the one who looks after the customer counts as the owner's: a plain
`email`, `name`, `id` or `extension` is the customer's own. Where each of them comes from is told by the test of them.
"""

from collections.abc import Mapping, Sequence

from bridge.sdk.tables.columns import header_key

ROLES: Mapping[str, Sequence[str]] = {
    "owner": (
        *("owner", "agent", "assignee", "assigned to", "assigned user", "assigned agent", "responsible"),
        *(
            "responsible user",
            "responsible person",
            "user responsible",
            "person responsible",
            "person in charge",
            "PIC",
        ),
        *("chủ sở hữu", "người sở hữu", "phụ trách", "người phụ trách", "nhân viên", "nhân viên phụ trách", "NV"),
        *("NV phụ trách", "người được giao", "được giao cho", "giao cho", "người được phân công", "phân công cho"),
        *("cán bộ phụ trách", "phụ trách khách hàng", "người phụ trách khách hàng", "nhân viên phụ trách khách hàng"),
        *("người chịu trách nhiệm", "người phụ trách chính", "người dùng được chỉ định", "người quản lý khách hàng"),
        *("phụ trách bởi", "được phụ trách bởi", "người phụ trách KH", "NV phụ trách KH", "phụ trách KH"),
    ),
    "sales": (
        *("sales", "sale", "sales rep", "sales representative", "sales representatives", "salesperson", "sales person"),
        *("seller", "saler", "salesman", "sales user", "sales agent", "nhân viên sale", "nhân viên sales"),
        *("nhân viên kinh doanh", "NVKD", "nhân viên bán hàng", "người bán hàng", "người bán", "đại diện bán hàng"),
        *("sale phụ trách", "sales phụ trách", "NV sale", "NV sales", "NV kinh doanh", "NV bán hàng", "NVBH"),
        *("chuyên viên kinh doanh", "đại diện kinh doanh", "chuyên viên bán hàng"),
    ),
    "care": (
        *("nhân viên chăm sóc", "người chăm sóc", "nhân viên CSKH", "NV chăm sóc", "NV CSKH", "chuyên viên chăm sóc"),
        *("nhân viên chăm sóc khách hàng", "người chăm sóc khách hàng", "chuyên viên CSKH"),
    ),
    "adviser": (
        *("chuyên viên", "chuyên viên phụ trách", "chuyên viên tư vấn", "chuyên viên khách hàng"),
        *("tư vấn viên", "nhân viên tư vấn", "NV tư vấn", "người tư vấn"),
    ),
    "manager": ("account manager", "account executive", "người quản lý", "nhân viên quản lý", "quản lý tài khoản"),
    **{
        f"{whose} owner": (f"{whose} owner", f"{whose} - owner")
        for whose in (
            *("contact", "account", "lead", "customer", "client", "record", "sales", "company", "person", "people"),
            *("organization", "organisation", "hubspot", "crm", "deal", "opportunity", "ticket", "case", "quote"),
        )
    },
}
"""Who may look after a customer. A file may name several of them, and they are different people."""

OTHERS = frozenset({"deal owner", "opportunity owner", "ticket owner", "case owner", "quote owner"})
"""Roles of a customer's business, not of the customer: with one alone the owner is still to be named."""

_NUMBER = ("SĐT", "ĐT", "số ĐT", "số điện thoại", "điện thoại", "di động", "số di động", "số zalo")

PHONE = (
    *("phone", "phone number", "phone numbers", "phones", "phone no", "telephone", "telephone number", "tel", "tel no"),
    *("mobile", "mobile phone", "mobile phone number", "mobile number", "mobile no", "mob phone", "mob", "cell"),
    *("cell phone", "cellphone", "cell number", "landline", "whatsapp", "whatsapp phone number", "whatsapp number"),
    *("home phone", "work phone", "business phone", "office phone", "other phone", "primary phone", "main phone"),
    *("home phone number", "work phone number", "office phone number", "other phone number", "home number"),
    *(
        "work number",
        "office number",
        "other number",
        "work direct phone",
        "direct phone",
        "direct line",
        "direct dial",
    ),
    *("alternate phone", "alternative phone", "alt phone", "secondary phone", "company phone", "company main phone"),
    *("company phone number", "assistant phone", "assistants phone", "asst phone", "car phone", "radio phone"),
    *("callback", "tty/tdd phone", "bus phone", "pers phone", "personal phone", "professional phone", "pro phone"),
    *("phone pro", "phone perso", "phone home", "phone mobile", "phone work", "phone other", "phone office"),
    *(
        "phone alternate",
        "phone main",
        "phone value",
        "phone - work",
        "phone - home",
        "phone - mobile",
        "phone - other",
    ),
    *("phone work direct", "work phone (contact)", "mobile phone (contact)", "home phone (contact)"),
    *("other phone (contact)", "work direct phone (contact)", "person - phone", "person phone - work"),
    *("person phone - home", "person phone - mobile", "person phone - other", "account phone", "contact phone number"),
    *("contact phone", "contact number", "contact no", "contact mobile", "contact mobile no", "customer phone"),
    *("customer phone number", "customer mobile", "lead phone", "sanitized number", "phone sanitized"),
    *(
        "number (contact numbers)",
        "phones / primary phone number",
        "phones primary phone number",
        "primary phone number",
    ),
    *("primary mobile no", "primary mobile", "default address phone"),
    *("SĐT", "số ĐT", "ĐT", "ĐTDĐ", "số điện thoại", "điện thoại", "di động", "số di động", "điện thoại di động"),
    *("số điện thoại di động", "số điện thoại bàn", "điện thoại bàn", "điện thoại cố định", "số điện thoại cố định"),
    *(f"{what} {whose}" for what in _NUMBER for whose in ("khách hàng", "KH", "khách")),
    "số liên hệ",
    *("ĐT di động", "ĐT cơ quan", "ĐT khác", "ĐT bàn", "ĐT nhà riêng", "ĐT cố định", "SĐT di động", "SĐT khác"),
    *("điện thoại cơ quan", "điện thoại khác", "điện thoại nhà riêng", "số điện thoại khác", "SĐT cơ quan"),
    *("điện thoại liên hệ", "số điện thoại liên hệ", "SĐT liên hệ", "SĐT chính", "SĐT phụ", "điện thoại nhà"),
    *("điện thoại làm việc", "điện thoại văn phòng", "điện thoại công ty", "ĐT công ty", "ĐT liên hệ", "số ĐT khác"),
    *("số điện thoại chính", "số điện thoại phụ", "điện thoại chính", "điện thoại phụ", "số máy", "máy bàn", "cố định"),
    *("số điện thoại công ty", "số cố định", "số mobile", "số phone", "số zalo", "SĐT zalo", "điện thoại zalo"),
)

EXTENSION = (
    *("extension", "extensions", "extension number", "ext", "ext no"),
    *("máy lẻ", "số máy lẻ", "số lẻ", "số nội bộ", "máy nội bộ", "số máy nội bộ", "máy nhánh", "số máy nhánh", "nhánh"),
)
"""The owner's if nothing else names him; beside what does, the customer's own at his company's exchange."""

_OF_AN_AGENT = ("owner extension", "owner ext", "agent extension")

COUNTRY_CODE = (
    *("country code", "phone country code", "mobile country code", "country calling code", "calling code", "dial code"),
    *(
        "dialing code",
        "dialling code",
        "phone code",
        "phone prefix",
        "country prefix",
        "country iso",
        "country iso code",
    ),
    *("iso country code", "phones / primary phone country code", "primary phone country code (phones)"),
    *("phones / primary phone calling code", "primary phone calling code (phones)"),
    *("primary phone country code", "primary phone calling code", "default address country code", "idd", "isd code"),
    *("phone country", "country (phone)", "phone country name", "mobile country", "mobile phone country"),
    *("country code (phone)", "phone (country code)", "mobile (country code)", "iso2", "country iso2"),
    *("mã quốc gia", "mã nước", "mã điện thoại quốc gia", "mã vùng quốc gia", "đầu số quốc gia", "mã QG"),
    *("điện thoại (mã quốc gia)", "mã quốc gia (điện thoại)", "mã quốc gia điện thoại", "SĐT (mã quốc gia)"),
    *("mã quốc gia SĐT", "số điện thoại (mã quốc gia)", "quốc gia (điện thoại)", "quốc gia của số điện thoại"),
)
_WHERE = (
    *("", "contact", "customer", "company", "account", "organization", "person", "lead", "client", "home", "business"),
    *("work", "office", "other", "address", "contact address", "company address", "home address", "business address"),
    *("work address", "other address", "default address", "primary", "primary address", "alternate address"),
    *("mailing", "mailing address", "billing", "billing address", "shipping", "shipping address", "delivery address"),
)
COUNTRY = (
    *(f"{where} {what}" for where in _WHERE for what in ("country", "country/region", "country/territory")),
    *("country name", "address - country", "billing country name", "shipping country name"),
    *("quốc gia", "nước", "tên quốc gia", "quốc gia/khu vực", "đất nước", "quốc gia khách hàng"),
)
"""Whose numbers a row's are, where they do not say so themselves; a code counts before a name."""

AROUND_ROLE: Mapping[str, Sequence[str]] = {
    "owner": ("{}",),
    "owner_id": ("{} id", "id {}", "mã {}", "mã số {}"),
    "email": ("{} email", "email {}", "{} mail", "mail {}", "{} email address", "{}'s email", "{} e-mail"),
    "login": ("{} login", "{} username", "{} user", "tài khoản {}", "tên đăng nhập {}"),
    "name": ("{} name", "tên {}", "họ tên {}", "họ và tên {}", "{} full name", "{}'s name"),
    "extension": ("{} extension", "{} ext", "máy lẻ {}", "số máy lẻ {}", "số nội bộ {}"),
}

_ROLE_OF = {
    header_key(pattern.format(name)): role
    for role, names in ROLES.items()
    for name in names
    for patterns in AROUND_ROLE.values()
    for pattern in patterns
}
KNOWN: Mapping[str, Sequence[str]] = {
    meaning: [pattern.format(name) for names in ROLES.values() for name in names for pattern in patterns]
    + [*(_OF_AN_AGENT if meaning == "extension" else ())]
    for meaning, patterns in AROUND_ROLE.items()
}
"""The headers of what can be known about an owner, by the key under `columns`."""

HEADINGS = frozenset(
    map(
        header_key, (*PHONE, *EXTENSION, *COUNTRY_CODE, *COUNTRY, *(name for names in KNOWN.values() for name in names))
    )
)
"""What of a header counts, of all that are known: two of them in one row are no customer's."""


def role_of(header: str) -> str:
    """Return whose column this is, of those who may look after a customer; numbers in a header do not count."""
    key = header_key(header)
    return _ROLE_OF.get(key) or _ROLE_OF.get("".join(sign for sign in key if not sign.isdigit()), "")
