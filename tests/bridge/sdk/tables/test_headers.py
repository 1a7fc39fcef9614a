"""The headers that exports really have: which hold the customer's numbers, which names the owner, which the country.

Read in what is public: the labels in the sources of SuiteCRM (language files) and Twenty (labels of composite fields),
HubSpot's "Set up your import files", Sapo's and Haravan's help on importing customers, and the exports of Pipedrive,
Google Contacts and Outlook as programs that import them name their columns. The others are the labels of the fields as
these programs show them.
"""

from collections.abc import Sequence
from pathlib import Path

import pytest

from bridge.sdk.errors import UnexpectedAnswer
from bridge.sdk.tables.layout import Layout
from bridge.sdk.tables.table import read_table

EXPORTS: dict[str, tuple[str, str, str]] = {
    # name: (headers that are not read, of numbers, of the owner)
    "bitrix24": (
        "ID,First name,Last name,Fax",
        "Work Phone,Mobile,Home Phone,Other Phone Number",
        "Responsible person",
    ),
    "bitrix24 vi": ("ID,Tên,Họ", "Điện thoại làm việc,Di động,Điện thoại nhà", "Người chịu trách nhiệm"),
    "dolibarr": ("Id,Name,Fax", "Phone,Bus. phone,Pers. phone,Mobile", "Sales representatives"),
    "dynamics365": (
        "(Do Not Modify) Contact,Full Name,Fax",
        "Business Phone,Business Phone 2,Mobile Phone,Home Phone,Company Phone,Main Phone,Other Phone",
        "Owner",
    ),
    "erpnext lead": ("ID,Lead Name,Fax", "Mobile No,Phone,WhatsApp", "Lead Owner"),
    "erpnext customer": ("ID,Customer Name", "Mobile No,Number (Contact Numbers)", "Account Manager"),
    "espocrm": ("Name,Email,Created By", "Phone", "Assigned User"),
    "espocrm attributes": ("name,emailAddress", "phoneNumber", "assignedUserName,assignedUserId"),
    "frappe_crm": ("Full Name,Organization", "Mobile No,Phone", "Lead Owner"),
    "freshsales": ("First name,Last name", "Work number,Mobile number,Other phone", "Sales owner"),
    "getfly": ("Mã KH,Tên khách hàng,Website", "Số điện thoại,Điện thoại", "Người phụ trách"),
    "hubspot": (
        "Record ID,First Name,Email,Create Date,Owner assigned date,Lead Status",
        "Phone Number,Mobile Phone Number,WhatsApp Phone Number",
        "Contact owner",
    ),
    "kommo": (
        "ID,Full name,Company,Fax (contact)",
        "Work phone (contact),Work direct phone (contact),Mobile phone (contact),Home phone (contact)",
        "Responsible",
    ),
    "nhanh": ("Mã,Tên khách hàng", "Số điện thoại,Di động", "Nhân viên bán hàng"),
    "odoo": ("Name,Email,City", "Phone,Mobile,Sanitized Number", "Salesperson"),
    "odoo vi": ("Tên,Email", "Điện thoại,Di động", "Nhân viên kinh doanh"),
    "pipedrive": (
        "Person - ID,Person - Name",
        "Person - Phone - Work,Person - Phone - Home,Person - Phone - Mobile,Person - Phone - Other",
        "Person - Owner",
    ),
    "salesforce": (
        "Contact ID,First Name,Last Modified By,Owner Role",
        "Phone,Mobile,Home Phone,Other Phone,Asst. Phone",
        "Contact Owner",
    ),
    "suitecrm": ("Name,Home,Fax", "Office Phone,Mobile,Other Phone,Alternate Phone", "Assigned to"),
    "suitecrm fields": (
        "id,phone_fax",
        "phone_home,phone_mobile,phone_work,phone_other,phone_office",
        "assigned_user_name",
    ),
    "twenty": ("Id,Name / First Name", "Phones / Primary Phone Number", "Account Owner"),
    "vtiger": ("First Name,Fax", "Office Phone,Mobile,Home Phone,Secondary Phone,Primary Phone", "Assigned To"),
    "zoho": (
        "Record Id,Created By",
        "Phone,Mobile,Home Phone,Other Phone,Asst Phone",
        "Contact Owner.id,Contact Owner",
    ),
    "google": (
        "First Name,Labels,E-mail 1 - Value,Phone 1 - Label,Phone 2 - Type",
        "Phone 1 - Value,Phone 2 - Value,Phone 12 - Value",
        "Owner",
    ),
    "outlook": (
        "Title,Business Fax,Home Fax,Pager,ISDN,Telex,Manager's Name",
        (
            "Assistant's Phone,Business Phone,Business Phone 2,Callback,Car Phone,Company Main Phone,Home Phone,"
            "Home Phone 2,Mobile Phone,Other Phone,Primary Phone,Radio Phone,TTY/TDD Phone"
        ),
        "Owner",
    ),
    "kiotviet": ("Mã khách hàng,Tên khách hàng,Người tạo,Số CMND/CCCD", "Điện thoại", "Nhân viên phụ trách"),
    "haravan": ("Họ,Tên,Email,Tổng chi tiêu", "Số điện thoại,Điện thoại", "Nhân viên phụ trách"),
    "sapo": ("Mã khách hàng,Nhóm khách hàng,Số fax", "Số điện thoại", "Nhân viên phụ trách"),
    "kept by hand": (
        "STT,Tên KH,Ghi chú",
        "SĐT KH,Điện thoại khách,Điện thoại KH,ĐT khách hàng,Số điện thoại KH,Di động khách,Số ĐT khách hàng",
        "NV phụ trách KH",
    ),
    "kept by hand 2": ("Họ và tên", "Số điện thoại khách", "Được phụ trách bởi"),
    "misa": ("Mã liên hệ,Họ và tên", "ĐT di động,ĐT cơ quan,ĐT khác,ĐT nhà riêng", "Chủ sở hữu"),
}

COUNTRIES = [
    *("Country Code", "Phone Country Code", "Mã quốc gia", "Country", "Quốc gia", "Country/Region", "Calling code"),
    *("Phones / Primary Phone Country Code", "Phones / Primary Phone Calling Code", "Mailing Country"),
    *("Business Country/Region", "Home Country/Region", "Other Country", "Shipping Country", "Billing Address Country"),
    *("Company Country", "Work Country", "Phone country", "Country (Phone)", "Phone 1 - Country", "ISO2", "Mã QG"),
    *("Address 1 - Country", "Điện thoại (mã quốc gia)", "Account Country", "Person - Country"),
]


def layout_of(folder: Path, columns: Sequence[str], **configured: Sequence[str]) -> Layout:
    path = folder / "customers.csv"
    path.write_text(",".join(columns) + "\n", encoding="utf-8")
    with read_table(path) as table:
        return Layout.of(table, configured)


@pytest.mark.parametrize(("others", "phones", "owners"), EXPORTS.values(), ids=EXPORTS)
def test_the_headers_of_an_export_are_known(tmp_path: Path, others: str, phones: str, owners: str) -> None:
    columns = [*others.split(","), *phones.split(","), *owners.split(",")]
    layout = layout_of(tmp_path, columns)
    assert [columns[at] for at in layout.phones] == phones.split(",")
    assert sorted(columns[at] for at in layout.owner.values()) == sorted(owners.split(","))
    assert layout.countries == ()
    assert layout.notes == ()


@pytest.mark.parametrize("header", COUNTRIES)
def test_a_column_that_says_whose_numbers_they_are_is_known(tmp_path: Path, header: str) -> None:
    assert layout_of(tmp_path, ["Phone", header, "Owner"]).countries == (1,)


def test_a_code_counts_before_a_name(tmp_path: Path) -> None:
    assert layout_of(tmp_path, ["Country", "Phone", "Country Code", "Owner"]).countries == (2,)
    assert layout_of(tmp_path, ["Country", "Phone", "Country Code", "Owner"], country=["Country"]).countries == (0,)


@pytest.mark.parametrize(("written", "meant"), [("SĐT", "Số điện thoại"), ("C", "Số điện thoại"), ("ST", "STT")])
def test_who_names_a_column_wrongly_is_told_the_one_that_is_usual_for_it(
    tmp_path: Path, written: str, meant: str
) -> None:
    columns = ["STT", "Khách", "Số điện thoại" if meant != "STT" else "Liên hệ", "NV"]
    with pytest.raises(UnexpectedAnswer) as raised:
        layout_of(tmp_path, columns, phone=[written])
    assert f"there is no column '{written}' (`columns: {{phone: …}}`), did you mean '{meant}'?" in str(raised.value)


OWNERS = [
    *(("Sales owner", "Lead owner"), ("Contact owner", "Account owner"), ("Sales owner", "Contact owner")),
    *(("Owner", "Sales owner"), ("Owner", "Assigned To"), ("Person - Owner", "Organization - Owner")),
    *(("Contact owner", "Company owner"), ("Contact owner", "Deal owner"), ("Lead Owner", "Account Manager")),
    *(("Sales owner email", "Lead owner"), ("Contact owner", "Account owner id"), ("Owner", "Owner 2")),
    *(("Người phụ trách", "Nhân viên"), ("Chủ sở hữu", "NVKD"), ("Nhân viên bán hàng", "Nhân viên CSKH")),
]


@pytest.mark.parametrize("pair", OWNERS, ids="+".join)
def test_two_headers_that_both_could_name_the_owner_are_an_error_that_lists_them(
    tmp_path: Path, pair: tuple[str, str]
) -> None:
    with pytest.raises(UnexpectedAnswer) as raised:
        layout_of(tmp_path, ["Phone", *pair])
    assert f"'{pair[0]}', '{pair[1]}'" in str(raised.value)
    assert "`columns: {owner: " in str(raised.value)
    assert layout_of(tmp_path, ["Phone", *pair], owner=[pair[0]]).owner == {"owner": 1}


def test_who_looks_after_a_deal_need_not_look_after_the_customer(tmp_path: Path) -> None:
    with pytest.raises(UnexpectedAnswer, match="'Deal owner' need not be who looks after the customer"):
        layout_of(tmp_path, ["Phone", "Deal owner"])


@pytest.mark.parametrize("bare", ["Ext", "Extension", "Máy lẻ", "Số máy lẻ", "Ext."])
def test_a_bare_extension_beside_the_owner_is_the_customers_own_and_told(tmp_path: Path, bare: str) -> None:
    layout = layout_of(tmp_path, ["Phone", bare, "Account Manager"])
    assert layout.owner == {"owner": 2}
    (note,) = layout.notes
    assert f"'{bare}' beside 'Account Manager' is taken for the customer's own extension and not read" in note
    assert f'`columns: {{owner: "Account Manager", extension: "{bare}"}}`' in note
    chosen = layout_of(tmp_path, ["Phone", bare, "Account Manager"], owner=["Account Manager"], extension=[bare])
    assert chosen.owner == {"owner": 2, "extension": 1}


@pytest.mark.parametrize("own", ["Owner ext", "Agent extension", "Máy lẻ nhân viên"])
def test_an_extension_that_says_whose_it_is_is_the_owners(tmp_path: Path, own: str) -> None:
    name = "Nhân viên" if own.startswith("Máy") else own.split(maxsplit=1)[0]
    assert layout_of(tmp_path, ["Phone", own, name, "Ext"]).owner == {"owner": 2, "extension": 1}


def test_a_bare_extension_alone_is_the_owners(tmp_path: Path) -> None:
    assert layout_of(tmp_path, ["Phone", "Máy lẻ"]).owner == {"extension": 1}
