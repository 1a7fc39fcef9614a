import logging
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from bridge.extensions.index import ExtensionMap
from bridge.sdk import Attention, Call, Deadline, Owner, PhoneNumber, SourceUnavailable
from connectors.csv.connector import CsvConfig, CsvConnector
from tests.support.rounds import Rounds

LAN = Owner(email="lan@congty.example")
MINH = Owner(email="minh@congty.example")
HEADER = "SĐT,Nhân viên phụ trách\n"
CUSTOMERS = f"{HEADER}0901234567,lan@congty.example\n0912345678,minh@congty.example\n"


def never(_seconds: float) -> bool:
    """Wait no time, and end the thread."""
    return True


def ask(connector: CsvConnector, number: str) -> Sequence[Owner]:
    return connector.find_owners(Call(PhoneNumber.parse(number)), Deadline.after(1.0))


def connector_of(folder: Path, content: str | bytes, **settings: Any) -> CsvConnector:
    path = folder / "customers.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    connector = CsvConnector(CsvConfig(path=path, **settings), wait=never)
    connector.open()
    return connector


def refusal(folder: Path, content: str, **settings: Any) -> str:
    with pytest.raises(SourceUnavailable) as raised:
        connector_of(folder, content, **settings)
    return str(raised.value)


def test_owners_are_found_by_number_whatever_its_spelling(tmp_path: Path) -> None:
    connector = connector_of(tmp_path, CUSTOMERS)
    for spelling in ("0901234567", "+84 90 123 45 67", "84901234567", "0084901234567"):
        assert ask(connector, spelling) == (LAN,)
    assert ask(connector, "0912345678") == (MINH,)
    assert ask(connector, "0912345679") == ()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_files_as_excel_writes_them_are_read(tmp_path: Path, encoding: str) -> None:
    content = 'sep=;\r\nHọ tên;Số điện thoại;Người phụ trách\r\n"Lê; Thị\nBa";901234567.0;Trần Đức Ổn\r\n'
    connector = connector_of(tmp_path, content.encode(encoding))
    assert ask(connector, "0901234567") == (Owner(name="Trần Đức Ổn"),)


def test_several_phone_columns_and_several_numbers_in_a_cell_lead_to_the_owner(tmp_path: Path) -> None:
    connector = connector_of(
        tmp_path,
        "Owner,Phone,Mobile,Phone 2\n"
        'lan@congty.example,0901234567 / 0902234567,0903234567;0904234567,"0905234567\n0906234567"\n',
    )
    for number in ("0901234567", "0902234567", "0903234567", "0904234567", "0905234567", "0906234567"):
        assert ask(connector, number) == (LAN,)


def test_two_rows_for_one_number_give_both_owners_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    rows = ("0901234567,minh", "0912345678,lan", "84901234567,lan", "+84901234567,minh", "0901 234 567,", "1900,x")
    connector = connector_of(tmp_path, "phone,owner id\n" + "\n".join(rows) + "\n")
    assert ask(connector, "0901234567") == (Owner(id="minh"), Owner(id="lan"))
    assert ask(connector, "0912345678") == (Owner(id="lan"),)


@pytest.mark.parametrize("cell", ["101/0102", "101;0102", "101:0102", '"101\n0102"', '"101, 0102"', "'101 / 0102"])
def test_several_extensions_in_a_cell_are_several_owners_and_keep_their_zeros(tmp_path: Path, cell: str) -> None:
    connector = connector_of(tmp_path, f"phone,Máy lẻ\n0901234567,{cell}\n")
    assert ask(connector, "0901234567") == (Owner(extension="101"), Owner(extension="0102"))


def test_an_extension_that_excel_made_a_quantity_is_repaired(tmp_path: Path) -> None:
    assert ask(connector_of(tmp_path, "phone,ext\n901234567.0,101.0\n"), "0901234567") == (Owner(extension="101"),)


@pytest.mark.parametrize("cell", ["1 01", "101 102", "101/1 02"])
def test_a_blank_inside_an_extension_rings_nobody(tmp_path: Path, cell: str) -> None:
    connector = connector_of(tmp_path, f"phone,ext\n0901234567,{cell}\n")
    assert ask(connector, "0901234567") == ()
    assert "an extension consists of digits" in connector.report()[-1]


@pytest.mark.parametrize(
    "cell",
    [
        "lan@congty.example; minh@congty.example",
        "lan@congty.example/minh@congty.example",
        "lan@congty.example | N/A | minh@congty.example ",
        '"lan@congty.example, minh@congty.example,"',
        '"lan@congty.example\nminh@congty.example"',
    ],
)
@pytest.mark.parametrize("header", ["owner", "owner email"])
def test_several_owners_in_a_cell_are_several_owners_in_their_order(tmp_path: Path, header: str, cell: str) -> None:
    connector = connector_of(tmp_path, f"phone,{header}\n0901234567,{cell}\n")
    assert ask(connector, "0901234567") == (LAN, MINH)
    assert connector.report()[1:] == ()


@pytest.mark.parametrize(
    ("header", "cells", "owners"),
    [
        ("owner", '"Lê Lan, minh"', [Owner(id="Lê Lan, minh", name="Lê Lan, minh")]),
        ("owner name", "Lê Lan/Minh", [Owner(name="Lê Lan/Minh")]),
        ("owner id", '"7.0, 08"', [Owner(id="7"), Owner(id="08")]),
        ("owner login", "lan;minh;", [Owner(login="lan;minh")]),
        (
            "owner name,owner ext",
            "Lan/Minh,101/102",
            [Owner(name="Lan/Minh", extension="101"), Owner(name="Lan/Minh", extension="102")],
        ),
        ("owner name,owner ext", "Lan/Minh,101", [Owner(name="Lan/Minh", extension="101")]),
        ("owner name,owner ext", "Lan/Minh,", [Owner(name="Lan/Minh")]),
        (
            "owner id,owner name",
            "7/8,Lan/Minh",
            [Owner(id="7", name="Lan"), Owner(id="8", name="Minh")],
        ),
        (
            "owner id,owner name,owner ext",
            "7/8,Lan,101/102/103",
            [
                Owner(id="7"),
                Owner(id="8"),
                Owner(name="Lan"),
                *map(Owner, [None] * 3, [None] * 3, [None] * 3, [None] * 3, ["101", "102", "103"]),
            ],
        ),
    ],
)
def test_cells_with_several_owners_are_put_together_as_far_as_they_fit(
    tmp_path: Path, header: str, cells: str, owners: list[Owner]
) -> None:
    assert ask(connector_of(tmp_path, f"phone,{header}\n0901234567,{cells}\n"), "0901234567") == tuple(owners)


@pytest.mark.parametrize(
    ("owner", "meant"),
    [
        ("Lê Thu Hương", Owner(name="Lê Thu Hương")),
        ("Le Lan", Owner(name="Le Lan")),
        ("Hương", Owner(name="Hương")),
        ("lan.nt", Owner(id="lan.nt", name="lan.nt")),
        ("0050K00000AbCdE", Owner(id="0050K00000AbCdE", name="0050K00000AbCdE")),
        ("42", Owner(id="42")),
        ("\u0664\u0662", Owner(name="\u0664\u0662")),
        ("lan@congty.example", LAN),
    ],
)
def test_an_owner_that_can_only_be_a_name_is_shown_as_one(tmp_path: Path, owner: str, meant: Owner) -> None:
    connector = connector_of(tmp_path, f"phone,owner\n0901234567,{owner}\n")
    assert ask(connector, "0901234567") == (meant,)


def test_a_name_beside_the_column_of_names_is_not_lost(tmp_path: Path) -> None:
    connector = connector_of(tmp_path, "phone,owner,owner name\n0901234567,Lê Lan,Lan (HCM)\n")
    assert ask(connector, "0901234567") == (Owner(id="Lê Lan", name="Lan (HCM)"),)


@pytest.mark.parametrize("owner", ["Lê Thu Hương", "Le Lan", "lan.nt", "LAN", "42", "lan@congty.example", "0050K"])
def test_an_owner_of_any_kind_is_found_in_the_list_of_extensions(tmp_path: Path, owner: str) -> None:
    (person,) = ask(connector_of(tmp_path, f"phone,owner\n0901234567,{owner}\n"), "0901234567")
    assert ExtensionMap(of_any_kind=[((owner,), ["101"]), (("nobody",), ["102"])]).extensions_of(person) == ("101",)
    assert ExtensionMap(of_any_kind=[((owner.swapcase(),), ["101"])]).extensions_of(person) == ("101",)


@pytest.mark.parametrize("word", ["", "null", "None", "N/A", "0", "-", "unknown", "Không", "chưa có", "KHÔNG CÓ"])
def test_words_for_nobody_are_nobody(tmp_path: Path, word: str) -> None:
    connector = connector_of(tmp_path, f"phone,owner,owner extension\n0901234567,{word},{word}\n")
    assert ask(connector, "0901234567") == ()
    assert connector.report()[1:] == ("customers.csv: 0 rows without a number, 1 without an owner (line 2)",)


def test_rows_that_cannot_be_used_are_counted_and_named_and_no_number_is_given_away(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    rows = ["9.01E+08,101", "abc 0901234,102", "0901234567,x101", "0912345678,101", ",102", "0912345679,101,102"]
    connector = connector_of(tmp_path, "phone,extension\n" + "\n".join(rows) + "\n")
    report = "\n".join(connector.report())
    assert "customers.csv: 4 rows with something that cannot be used" in report
    assert "customers.csv: 1 row without a number (line 6), 1 without an owner (line 4)" in report
    assert "customers.csv:2: the telephone number cannot be repaired: Excel has shortened it" in report
    assert "customers.csv:3: no telephone number in 'abc ****234': " in report
    assert "customers.csv:4: 'x101' is no extension" in report
    assert "customers.csv:7: the row has 3 cells" in report
    assert len(caplog.records) == 1
    assert caplog.records[0].levelno == logging.WARNING
    assert report.replace("\n", "; ") in caplog.text
    for digits in ("0901234", "912345678"):
        assert digits not in report + caplog.text
    assert ask(connector, "0901234567") == ()
    assert ask(connector, "0912345679") == ()
    assert ask(connector, "0912345678") == (Owner(extension="101"),)


def test_an_unreadable_number_beside_a_good_one_is_reported_and_the_good_one_used(tmp_path: Path) -> None:
    connector = connector_of(tmp_path, "phone,mobile,extension\n12,0901234567,101\n-,0912345678,102\n")
    assert ask(connector, "0901234567") == (Owner(extension="101"),)
    assert "customers.csv:2: no telephone number in '12'" in connector.report()[-1]
    assert "1 row with something" in connector.report()[-2]


def test_one_number_of_a_cell_that_cannot_be_read_is_reported_and_the_others_used(tmp_path: Path) -> None:
    connector = connector_of(tmp_path, "phone,extension\n0901234567 / 0912xxx678,101\n09****4567,102\n")
    assert ask(connector, "0901234567") == (Owner(extension="101"),)
    first, second = connector.report()[-2:]
    assert first.startswith("customers.csv:2: one telephone number more in '********** / ****xxx678' cannot be read: ")
    assert first.endswith("'****xxx678': some of its digits are hidden")
    assert second == "customers.csv:3: no telephone number in '*******567': some of its digits are hidden"


def test_numbers_taken_for_another_countrys_are_listed(tmp_path: Path) -> None:
    connector = connector_of(tmp_path, "phone,extension\n0901234567,101\n6591234567,102\n3612345678,103\n")
    assert ask(connector, "+6591234567") == (Owner(extension="102"),)
    (told,) = [line for line in connector.report() if line.startswith("assumed:")]
    assert "2 numbers without + " in told
    assert "line 3 is taken for Singapore, line 4 is taken for Hungary" in told
    assert "6591234567" not in told


@pytest.mark.parametrize("word", ["", "-", "0", "không có", "null"])
def test_words_for_no_number_are_no_fault_of_the_row(tmp_path: Path, word: str) -> None:
    connector = connector_of(tmp_path, f"phone,extension\n{word},101\n0901234567,101\n")
    assert connector.report()[1:] == ("customers.csv: 1 row without a number (line 2), 0 without an owner",)


def test_a_bad_extension_beside_an_email_leaves_the_email(tmp_path: Path) -> None:
    connector = connector_of(tmp_path, "phone,owner email,owner ext\n0901234567,lan@congty.example,ten\n")
    assert ask(connector, "0901234567") == (LAN,)
    assert "'ten' is no extension" in connector.report()[-1]


def test_an_owner_that_excel_shortened_is_reported_and_not_used(tmp_path: Path) -> None:
    connector = connector_of(tmp_path, "phone,owner id\n0901234567,5.12E+11\n")
    assert ask(connector, "0901234567") == ()
    assert "the cell for the owner's id cannot be repaired" in connector.report()[-1]


def test_all_that_is_known_about_an_owner_comes_together(tmp_path: Path) -> None:
    connector = connector_of(
        tmp_path,
        "phone,Mã nhân viên,Email nhân viên,Tài khoản nhân viên,Tên nhân viên,Số máy lẻ nhân viên\n"
        "0901234567,nv1,lan@congty.example,lan.nt,Nguyễn Thị Lan,101/102\n",
    )
    known = Owner(id="nv1", email="lan@congty.example", login="lan.nt", name="Nguyễn Thị Lan", extension="101")
    assert ask(connector, "0901234567") == (
        known,
        Owner(known.id, known.email, known.login, known.name, extension="102"),
    )


@pytest.mark.parametrize(
    ("header", "owner"),
    [
        ("Owner", Owner(id="x", name="x")),
        ("NHÂN VIÊN PHỤ TRÁCH", Owner(id="x", name="x")),
        ("Sales", Owner(id="x", name="x")),
        ("Sale", Owner(id="x", name="x")),
        ("Sale phụ trách", Owner(id="x", name="x")),
        ("Saler", Owner(id="x", name="x")),
        ("NV phụ trách", Owner(id="x", name="x")),
        ("NV chăm sóc", Owner(id="x", name="x")),
        ("Chuyên viên", Owner(id="x", name="x")),
        ("Chuyên viên tư vấn", Owner(id="x", name="x")),
        ("Tư vấn viên", Owner(id="x", name="x")),
        ("Người chăm sóc", Owner(id="x", name="x")),
        ("Nhân viên chăm sóc khách hàng", Owner(id="x", name="x")),
        ("Email tư vấn viên", Owner(email="x")),
        ("Owner ID", Owner(id="x")),
        ("Mã NV", Owner(id="x")),
        ("Owner Email", Owner(email="x")),
        ("email_nhan_vien", Owner(email="x")),
        ("Email người phụ trách", Owner(email="x")),
        ("Owner name", Owner(name="x")),
        ("Tên nhân viên", Owner(name="x")),
    ],
)
def test_usual_headers_are_found_without_configuration(tmp_path: Path, header: str, owner: Owner) -> None:
    connector = connector_of(tmp_path, f"Name,Email,Mobile,{header}\nBa,ba@khach.example,0901234567,x\n")
    assert ask(connector, "0901234567") == (owner,)


def test_the_customers_own_email_and_name_are_never_taken_for_the_owners(tmp_path: Path) -> None:
    reason = refusal(tmp_path, "Phone,Email,Name,Login,ID\n0901234567,ba@khach.example,Ba,ba,7\n")
    assert "no column is known to name the owner: name it under `columns: {owner: 'Header'}`" in reason
    assert "'Phone', 'Email', 'Name', 'Login', 'ID'" in reason


def test_columns_may_be_named_in_the_configuration_and_then_no_others_are_looked_for(tmp_path: Path) -> None:
    content = "Tel A,Tel B,Email,Owner,Phone\n0901234567,0902234567,lan@congty.example,Minh,0903234567\n"
    columns = {"phone": ["tel a", "TEL_B"], "email": "e-mail"}
    connector = connector_of(tmp_path, content, columns=columns)
    assert ask(connector, "0901234567") == ask(connector, "0902234567") == (LAN,)
    assert ask(connector, "0903234567") == ()
    one = connector_of(tmp_path, content, columns={"phone": "Tel B", "owner": "Owner"})
    assert ask(one, "0902234567") == (Owner(id="Minh", name="Minh"),)


def test_ambiguous_columns_are_an_error_that_lists_them(tmp_path: Path) -> None:
    reason = refusal(tmp_path, "SĐT,Người phụ trách,Nhân viên\n0901234567,Lan,Minh\n")
    assert reason == (
        "customers.csv: 2 columns could be the owner: 'Người phụ trách', 'Nhân viên'; name one under "
        "`columns: {owner: …}`; the file has: 'SĐT', 'Người phụ trách', 'Nhân viên'"
    )


def test_columns_about_different_people_are_never_put_together(tmp_path: Path) -> None:
    reason = refusal(tmp_path, "phone,Account owner,Sales email\n0901234567,Lan,minh@congty.example\n")
    assert "'Account owner', 'Sales email' could be different people" in reason


def test_missing_columns_are_an_error_that_lists_those_there_are(tmp_path: Path) -> None:
    assert "no column is known to hold telephone numbers" in refusal(tmp_path, "Fax,Owner\n1,2\n")
    reason = refusal(tmp_path, CUSTOMERS, columns={"phone": "Điện thoại di"})
    assert "there is no column 'Điện thoại di'" in reason
    assert "the file has: 'SĐT', 'Nhân viên phụ trách'" in reason


def test_a_file_without_header_gives_no_customer_away(tmp_path: Path) -> None:
    reason = refusal(tmp_path, "0901234567,Lan\n0912345678,Minh\n")
    assert "*******567" in reason
    assert "0901234567" not in reason


def test_a_file_without_one_usable_number_is_no_list_in_which_nobody_is_known(tmp_path: Path) -> None:
    reason = refusal(tmp_path, "phone,owner\n9.01E+08,Lan\n,Minh\n")
    assert "none of its 2 rows has a usable telephone number; the first: customers.csv:2: " in reason


def test_numbers_without_a_country_are_of_the_configured_region(tmp_path: Path) -> None:
    connector = connector_of(tmp_path, "phone,ext\n020 7946 0018,101\n", region="GB")
    assert ask(connector, "+442079460018") == (Owner(extension="101"),)


@pytest.mark.parametrize(
    "settings",
    [
        {"encoding": "utf-9"},
        {"encoding": "base64"},
        {"delimiter": "::"},
        {"region": "Vietnam"},
        {"columns": {"telefon": "x"}},
        {"columns": {"phone": ""}},
        {"colums": {}},
    ],
)
def test_wrong_settings_are_refused(tmp_path: Path, settings: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        CsvConfig(path=tmp_path, **settings)


def test_encoding_and_delimiter_may_be_told(tmp_path: Path) -> None:
    content = "phone\towner, or not\n0901234567\tÉva\n".encode("latin-1")
    connector = connector_of(tmp_path, content, encoding="latin-1", delimiter="tab", columns={"owner": "owner, or not"})
    assert ask(connector, "0901234567") == (Owner(name="Éva"),)


def test_the_explanation_says_why_there_is_no_owner(tmp_path: Path) -> None:
    connector = connector_of(tmp_path, f"{CUSTOMERS}0903234567,-\n")
    said: list[str] = []
    for number in ("0901234567", "0903234567", "0904234567"):
        connector.find_owners(Call(PhoneNumber.parse(number), explain=said.append), Deadline.after(1.0))
    assert [line.split("; ")[0] for line in said] == [
        "customers.csv: 1 owner(s) in its row(s)",
        "customers.csv: its row names no owner",
        "customers.csv: no row has this number",
    ]
    assert not any("234567" in line for line in said)


def test_the_answer_does_not_depend_on_the_hotline() -> None:
    assert not CsvConnector.reads_hotline


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "customers.csv"
    path.write_text(CUSTOMERS)
    return path


@pytest.fixture
def rounds() -> Rounds:
    return Rounds()


@pytest.fixture
def connector(path: Path, rounds: Rounds) -> Iterator[CsvConnector]:
    connector = CsvConnector(CsvConfig(path=path), wait=rounds)
    connector.open()
    yield connector
    rounds.end()
    connector.close()


@pytest.mark.parametrize("atomic", [True, False], ids=["replaced", "rewritten in place"])
def test_a_changed_file_is_picked_up(path: Path, connector: CsvConnector, rounds: Rounds, *, atomic: bool) -> None:
    content = CUSTOMERS.replace("lan@", "minh@")
    if atomic:
        path.with_suffix(".new").write_text(content)
        path.with_suffix(".new").replace(path)
    else:
        path.write_text(content)
    rounds.step(2)
    assert ask(connector, "0901234567") == (MINH,)


@pytest.mark.parametrize(
    "content",
    [
        "",
        HEADER,
        CUSTOMERS[:-10],
        CUSTOMERS + "0903234567\n",
        CUSTOMERS + '0903234567,"Lan\n',
        CUSTOMERS + "\0\0\0\0\n",
        "Tên,Tuổi\nBa,7\n",
        f"{HEADER}9.01E+08,lan@congty.example\n",
    ],
    ids=["empty", "header only", "cut off", "short of cells", "open quote", "hole", "other columns", "no number"],
)
def test_a_file_that_is_not_whole_leaves_the_last_good_one_in_force(
    path: Path, connector: CsvConnector, rounds: Rounds, caplog: pytest.LogCaptureFixture, content: str
) -> None:
    path.write_text(content)
    caplog.set_level(logging.INFO)
    rounds.step(3)
    assert ask(connector, "0912345678") == (MINH,)
    assert ask(connector, "0903234567") == ()
    assert ["stays in force" in text for text in caplog.messages] == [True]
    path.write_text(CUSTOMERS.replace("minh@", "lan@"))
    rounds.step(2)
    assert ask(connector, "0912345678") == (LAN,)
    assert caplog.messages[-1].startswith("read customers.csv: 2 rows")


def test_a_deleted_file_leaves_the_last_good_one_in_force(
    path: Path, connector: CsvConnector, rounds: Rounds, caplog: pytest.LogCaptureFixture
) -> None:
    path.unlink()
    rounds.step(5)
    assert ask(connector, "0912345678") == (MINH,)
    assert caplog.messages == [f"customers.csv: there is no such file: {path}; the last good version stays in force"]


def test_a_connector_that_could_not_open_recovers_by_itself(tmp_path: Path, rounds: Rounds) -> None:
    path = tmp_path / "customers.csv"
    connector = CsvConnector(CsvConfig(path=path), wait=rounds)
    with pytest.raises(SourceUnavailable, match="there is no such file"):
        connector.open()
    with pytest.raises(SourceUnavailable, match="there is no such file"):
        ask(connector, "0901234567")
    assert connector.report() == ()
    path.write_text(CUSTOMERS)
    rounds.step(2)
    connector.open()
    assert ask(connector, "0901234567") == (LAN,)
    rounds.end()
    connector.close()


def test_whoever_asks_during_a_reload_sees_the_old_list_or_the_new_one_as_a_whole(
    path: Path, connector: CsvConnector, rounds: Rounds
) -> None:
    numbers = [PhoneNumber.parse(f"09{number:08d}") for number in range(10_000_000, 10_002_000)]
    calls = [Call(numbers[0]), Call(numbers[-1])]
    stop = threading.Event()
    seen = []

    def lookups() -> None:
        while not stop.is_set():
            first, last = [connector.find_owners(call, Deadline.after(1.0)) for call in calls]
            seen.append((first, last))

    asking = threading.Thread(target=lookups)
    asking.start()
    lists = []
    for name in ("one", "two", "six"):
        lists.append((Owner(id=name, name=name),))
        path.write_text(HEADER + "".join(f"{number.digits},{name}\n" for number in numbers))
        rounds.step(2)
    stop.set()
    asking.join()
    # Two lookups may fall on both sides of a swap, but never on a list that is half there.
    order: list[Sequence[Owner]] = [(), *lists]
    assert all(order.index(last) - order.index(first) in (0, 1) for first, last in map(tuple, seen))
    assert ask(connector, "0910000000") == lists[-1]


def test_everybody_whom_the_file_names_is_known_once(tmp_path: Path) -> None:
    rows = "0901234567,lan@x.example\n0901234567,minh@x.example\n0912345678,\n0923456789,lan@x.example\n"
    connector = connector_of(tmp_path, f"phone,owner email\n{rows}")
    assert set(connector.owners_known()) == {Owner(email="lan@x.example"), Owner(email="minh@x.example")}
    assert len(connector.owners_known()) == 2


@pytest.mark.parametrize("header", ["ĐT di động", "ĐT cơ quan", "ĐT khác", "Điện thoại cơ quan"])
def test_the_headers_of_misa_are_found(tmp_path: Path, header: str) -> None:
    connector = connector_of(tmp_path, f"{header},Chủ sở hữu\n0901234567,Lê Lan\n")
    assert ask(connector, "0901234567") == (Owner(name="Lê Lan"),)


def test_a_column_of_numbers_that_is_not_read_is_told(tmp_path: Path) -> None:
    rows = "0901234567,Lan,090 234 5678,0912\n,Lan,+84 90 234 5679,\n,Lan,,x\n"
    connector = connector_of(tmp_path, f"phone,owner,Zalo,MST\n{rows}")
    assert connector.report()[-1] == (
        "unread: customers.csv: 'Zalo' seem to hold telephone numbers, and are not read: "
        "if they are the customer's, name all such columns under `columns: {phone: […]}`"
    )


def test_a_column_is_not_told_that_holds_few_numbers_or_was_left_out_on_purpose(tmp_path: Path) -> None:
    notes = ["0902345678", "0902345679", "x", "y", "z"]
    few = "phone,owner,Ghi chú\n" + "".join(f"090123456{at},Lan,{note}\n" for at, note in enumerate(notes))
    assert not any("unread" in line for line in connector_of(tmp_path, few).report())
    zalo = "phone,owner,Zalo\n0901234567,Lan,0902345678\n0901234568,Lan,0902345679\n"
    assert any("unread" in line for line in connector_of(tmp_path, zalo).report())
    chosen = connector_of(tmp_path, zalo, columns={"phone": ["phone"]})
    assert not any("unread" in line for line in chosen.report())


OWN_EXTENSION = """Company,Contact,Phone,Ext,Email,Account Manager
Cty An Phat,Mr. Binh,028 3812 3456,205,binh@khach.example,lan@congty.example
Cty Hoa Mai,Ms. Chi,024 3933 1234,101,chi@khach.example,minh@congty.example
"""


def test_a_customers_own_extension_is_never_rung_and_told(tmp_path: Path) -> None:
    connector = connector_of(tmp_path, OWN_EXTENSION)
    assert ask(connector, "02838123456") == (LAN,)
    assert ask(connector, "02439331234") == (MINH,)
    assert connector.report()[1].startswith("set aside: customers.csv: 'Ext' beside 'Account Manager' is taken for")


THAI = ["+66", "66", "0066", "TH", "th", "Thailand", "Thái Lan", "Thailand (+66)", "'+66"]


@pytest.mark.parametrize("country", THAI)
@pytest.mark.parametrize("header", ["Country Code", "Mã quốc gia", "Country", "Quốc gia"])
def test_a_country_in_a_column_of_its_own_is_joined_to_its_number(tmp_path: Path, header: str, country: str) -> None:
    rows = (
        f"{country},0812345678,lan@congty.example\n,0901234567,minh@congty.example\nVN,0912345678,minh@congty.example\n"
    )
    connector = connector_of(tmp_path, f"{header},Phone,Owner\n{rows}+84,912345679,minh@congty.example\n")
    assert ask(connector, "0812345678") == ()
    assert ask(connector, "+66812345678") == (LAN,)
    assert ask(connector, "0901234567") == ask(connector, "0912345678") == ask(connector, "0912345679") == (MINH,)
    assert f"country: '{header}'" in connector.report()[0]


def test_a_number_with_its_own_code_needs_no_column(tmp_path: Path) -> None:
    connector = connector_of(tmp_path, "Country,Phone,Owner\nThailand,+84 901234567,lan@congty.example\n")
    assert ask(connector, "0901234567") == (LAN,)


@pytest.mark.parametrize("country", ["Siam", "999"])
def test_a_number_of_an_unknown_or_another_country_is_nobodys_here_and_told(tmp_path: Path, country: str) -> None:
    rows = f"{country},0901234567,lan@congty.example\nVN,0912345678,minh@congty.example\n"
    connector = connector_of(tmp_path, f"Country,Phone,Owner\n{rows}")
    assert ask(connector, "0901234567") == ()
    assert f", of the country '{country}': " in connector.report()[-1]


def test_two_columns_of_one_country_agree_and_two_countries_say_nothing(tmp_path: Path) -> None:
    header = "Country Code,Calling code,Phone,Owner\n"
    rows = "TH,+66,0812345678,lan@congty.example\nTH,+84,0901234567,lan@congty.example\n"
    connector = connector_of(tmp_path, f"{header}{rows}CA,+1,6135550123,minh@congty.example\n")
    assert ask(connector, "+66812345678") == (LAN,)
    assert ask(connector, "0901234567") == ()
    assert ask(connector, "+16135550123") == (MINH,)
    assert "'+84 and TH'" in connector.report()[-1]


def test_a_column_may_be_named_or_said_to_tell_no_country(tmp_path: Path) -> None:
    content = "Country,Land,Phone,Owner\nThailand,VN,0901234567,lan@congty.example\n"
    assert ask(connector_of(tmp_path, content, columns={"country": False}), "0901234567") == (LAN,)
    assert ask(connector_of(tmp_path, content, columns={"country": "Land"}), "0901234567") == (LAN,)
    assert "no usable" not in connector_of(tmp_path, content, columns={"country": "Land"}).report()[0]


@pytest.mark.parametrize(
    "cells", [("+66", "+84"), ("Thailand", ""), ("Thái Lan", "Việt Nam"), ("(+66)", "-")], ids=lambda cells: cells[0]
)
def test_a_column_of_countries_that_is_not_read_is_told_until_somebody_says_what_it_is(
    tmp_path: Path, cells: tuple[str, str]
) -> None:
    content = (
        f"Phone,Đầu số,Owner\n0812345678,{cells[0]},lan@congty.example\n0901234567,{cells[1]},lan@congty.example\n"
    )
    assert connector_of(tmp_path, content).report()[-1] == (
        "set aside: customers.csv: 'Đầu số' holds countries and is not read: if it says whose the numbers are, write "
        '`columns: {country: "Đầu số"}`, else `columns: {country: false}`'
    )
    for said in ("Đầu số", False):
        assert "holds countries" not in str(connector_of(tmp_path, content, columns={"country": said}).report())


@pytest.mark.parametrize(
    "cells", ["Anh,Nga,Đức", "VN,HN,SG", "090,084,66", "Việt Nam,Việt Nam,Việt Nam", "Thailand,x,y"]
)
def test_a_column_of_people_places_or_prefixes_holds_no_countries(tmp_path: Path, cells: str) -> None:
    rows = "".join(f"090123456{at},{cell},lan@congty.example\n" for at, cell in enumerate(cells.split(",")))
    assert "holds countries" not in str(connector_of(tmp_path, f"Phone,Đầu số,Owner\n{rows}").report())


def test_a_column_of_numbers_that_begins_late_is_told(tmp_path: Path) -> None:
    rows = (
        "".join(f"09012{at:05d},Lan,\n" for at in range(3000))
        + "0912345678,Lan,0902345678\n0912345679,Lan,0902345679\n"
    )
    assert "unread: customers.csv: 'Zalo'" in connector_of(tmp_path, f"phone,owner,Zalo\n{rows}").report()[-1]


def test_a_name_that_two_owners_of_the_table_have_is_neithers(tmp_path: Path) -> None:
    rows = [
        "0901234561,lan1@congty.example,Hoà",
        "0901234562,lan2@congty.example,Hòa",
        "0901234563,,HOÀ",
        "0901234564,minh@congty.example,Minh",
    ]
    connector = connector_of(tmp_path, "phone,owner email,owner name\n" + "\n".join(rows) + "\n")
    assert ask(connector, "0901234561") == (Owner(email="lan1@congty.example"),)
    assert ask(connector, "0901234562") == (Owner(email="lan2@congty.example"),)
    assert ask(connector, "0901234563") == ()
    assert ask(connector, "0901234564") == (Owner(email="minh@congty.example", name="Minh"),)
    assert [owner.name for owner in connector.owners_known()] == ["Hoà", "Hòa", "HOÀ", "Minh"]
    told = connector.report()[-1]
    assert told == (
        "customers.csv: rows with nothing but a name that several owners have lead to nobody, write the e-mail: 'hoà'"
    )
    assert isinstance(told, Attention)
    known = connector_of(tmp_path, "phone,owner email,owner name\n" + "\n".join(rows[:2]) + "\n").report()[-1]
    assert "lead to nobody (the e-mails and ids beside them do)" in known
    assert not isinstance(known, Attention)
