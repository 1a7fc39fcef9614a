"""What `omi-bridge check --online` says about the directory: real files, a real HTTP server as OMICall."""

import contextlib
import sqlite3

import pytest

from bridge.config.loading import load_config
from bridge.diagnosis.finding import Finding
from bridge.diagnosis.sources import check_service
from bridge.lookup.decision import Outcome
from bridge.sdk.deadline import Deadline
from bridge.service import Service
from tests.support.omicall import Omicall, Reply, phone

CONFIG = """
api_keys: [change-me]
connectors:
  customers: {type: csv, path: customers.csv}
"""
OWNERS = ("lan@congty.example", "minh@congty.example", "nghi@congty.example")


def rows(*owners):
    return "phone,owner email,owner name\n" + "".join(
        f"09{number:08},{owner},\n" for number, owner in enumerate(owners, 1)
    )


@contextlib.contextmanager
def service(folder, extensions, *owners, connectors=""):
    (folder / "customers.csv").write_text(rows(*(owners or OWNERS)), encoding="utf-8")
    file = folder / "config.yaml"
    file.write_text(f"{CONFIG}{connectors}extensions:\n{extensions}", encoding="utf-8")
    made = Service(load_config(file))
    try:
        yield made
    finally:
        made.close()


def findings(folder, extensions, *owners, connectors=""):
    with service(folder, extensions, *owners, connectors=connectors) as made:
        return list(check_service(made, online=True))


def report(folder, extensions, *owners, connectors=""):
    found = findings(folder, extensions, *owners, connectors=connectors)
    return [str(one).replace("  directory:", "") for one in found if one.subject == "directory"]


def omicall(server):
    return f"  omicall: {{api_key: omicall-key-4711, url: '{server.url}'}}\n"


def test_a_directory_that_fits_is_said_to_fit(tmp_path):
    inline = "  inline: {lan@congty.example: 101, minh@congty.example: 102, nghi@congty.example: 103}\n"
    assert report(tmp_path, inline) == ["ok     3 owner(s) named by customers; 3 with an extension"]


def test_an_owner_without_an_extension_is_told_with_the_line_to_write(tmp_path):
    inline = "  inline: {lan@congty.example: 101, minh@congty.example: 102}\n"
    assert report(tmp_path, inline) == [
        "ok     3 owner(s) named by customers; 2 with an extension",
        (
            "warn   no extension for email nghi@congty.example (1 customer): write `nghi@congty.example: EXTENSION` "
            "under extensions.inline, or `nghi@congty.example: []` if none is to be"
        ),
    ]


def test_of_many_lines_the_first_twenty_are_shown(tmp_path):
    owners = [f"agent{number}@congty.example" for number in range(25)]
    lines = report(tmp_path, "  inline: {x: 1}\n", *owners)
    assert sum("no extension for" in line for line in lines) == 20
    assert "warn   and 5 more of this kind" in lines


def test_two_owners_on_one_extension_are_told_but_not_one_person_twice(tmp_path):
    inline = "  inline: {lan@congty.example: [101, 104], minh@congty.example: 101, nghi@congty.example: 103}\n"
    (line,) = report(tmp_path, inline)[1:]
    assert line == (
        "warn   extension 101 rings for 2 owners: email lan@congty.example; email minh@congty.example: "
        "if that is a slip, write each with their own under extensions.inline"
    )
    twice = "  inline: {lan@congty.example: 101, Lan: 101, minh@congty.example: 102}\n"
    assert not any("rings for" in line for line in report(tmp_path, twice, "lan@congty.example", "LAN@congty.example"))


def test_an_entry_that_no_owner_uses_is_told(tmp_path):
    (tmp_path / "staff.csv").write_text(
        "email,login,ext\nlan@congty.example,lan,101\nquang@congty.example,quang,109\n", encoding="utf-8"
    )
    inline = "  inline: {minh@congty.example: 102, nghi@congty.example: 103, old@congty.example: 108}\n"
    assert report(tmp_path, inline + "  csv: {path: staff.csv}\n")[1:] == [
        (
            "warn   extensions.inline: old@congty.example (extension 108) is no owner that a connector names: "
            "take it out if they have left, else write it as the connector does"
        ),
        (
            "warn   extensions.csv: quang@congty.example, quang (extension 109) is no owner that a connector names: "
            "take it out if they have left, else write it as the connector does"
        ),
    ]


def test_whether_an_entry_is_used_is_not_judged_if_a_connector_cannot_name_its_owners(tmp_path):
    quiet = "  quiet: {type: 'tests.support.fakes:FakeConnector'}\n"
    lines = report(tmp_path, "  inline: {old@congty.example: 108}\n", "x@congty.example", connectors=quiet)
    assert lines[-1] == (
        "ok     whether every entry under 'extensions:' is used cannot be told: quiet cannot name all owners"
    )
    assert not any("old@congty.example" in line for line in lines)


def test_an_extension_that_omicall_does_not_know_is_told(tmp_path):
    known = [phone("101", "lan@congty.example"), phone("100")]
    inline = "  inline: {minh@congty.example: 109, nghi@congty.example: 100}\n"
    with Omicall(*known) as server:
        assert report(tmp_path, inline + omicall(server)) == [
            "ok     3 owner(s) named by customers; 3 with an extension",
            (
                "warn   extensions.inline: 109 of minh@congty.example is no internal phone of OMICall: correct it, "
                "unless it is the number of a group"
            ),
        ]


def test_where_omicall_is_asked_a_missing_phone_may_be_made_there(tmp_path):
    with Omicall(phone("101", "lan@congty.example")) as server:
        lines = report(tmp_path, omicall(server), "lan@congty.example", "minh@congty.example")
    assert "under extensions.inline, or give them a phone in OMICall, or `minh@" in lines[1]


def test_warnings_are_no_failure_but_a_list_that_cannot_be_read_is(tmp_path):
    with Omicall(phone("101", "lan@congty.example")) as server:
        good = findings(tmp_path, omicall(server))
        assert not any(one.failed for one in good)
        assert "extensions.omicall: 1 name of owners, 1 extension" in str(good[0])
        server.fault = lambda _asked: Reply(b"", 503)
        bad = findings(tmp_path, omicall(server))
    assert [one.subject for one in bad if one.failed] == ["extensions.omicall"]
    assert "answered 503" in str(bad[0])
    assert "cannot be judged without all lists" in str(bad[-1])
    assert sum(one.subject == "directory" for one in bad) == 1
    assert not (tmp_path / "omicall-extensions.json").exists()


def test_without_online_omicall_is_not_asked(tmp_path):
    with Omicall() as server, service(tmp_path, omicall(server)) as made:
        told = [str(one) for one in check_service(made, online=False)]
        assert server.signed_in == 0
    assert told[0] == "ok      extensions.omicall: not asked (--online asks it)"
    assert not any("directory" in line for line in told)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("7", "a bug in the connector: TypeError"),
        ("[None]", "a bug in the connector: TypeError"),
        ("exit(3)", "a bug in the connector: SystemExit"),
        ("no()", "cannot name its owners now: away"),
    ],
)
def test_what_a_connector_says_about_its_owners_is_not_trusted(tmp_path, said, told):
    (tmp_path / f"naming_{abs(hash(said))}.py").write_text(
        "from bridge.sdk import Connector, ConnectorConfig, SourceUnavailable\n"
        "def no():\n    raise SourceUnavailable('away')\n"
        "class Naming(Connector):\n"
        "    Config = ConnectorConfig\n"
        "    def find_owners(self, call, deadline):\n        return ()\n"
        f"    def owners_known(self):\n        return {said}\n",
        encoding="utf-8",
    )
    naming = f"  naming: {{type: 'naming_{abs(hash(said))}:Naming'}}\n"
    found = findings(tmp_path, "  inline: {lan@congty.example: 101}\n", connectors=naming)
    assert any(told in str(one) for one in found)
    assert not any(one.failed for one in found)


def test_a_key_that_yaml_would_misread_is_shown_in_quotes(tmp_path):
    (tmp_path / "customers.csv").write_text("phone,owner name\n0901234567,Lan: x\n", encoding="utf-8")
    file = tmp_path / "config.yaml"
    file.write_text(CONFIG, encoding="utf-8")
    made = Service(load_config(file))
    try:
        told = "\n".join(map(str, check_service(made, online=True)))
    finally:
        made.close()
    assert '`"Lan: x": EXTENSION`' in told


def test_a_connector_that_cannot_be_opened_leaves_the_directory_unjudged_in_one_line(tmp_path):
    away = "  away: {type: csv, path: away.csv}\n"
    assert report(tmp_path, "  inline: {old@congty.example: 108}\n", connectors=away) == [
        "warn   not judged: away cannot be opened"
    ]


def named_an(folder, extensions, row):
    (folder / "named.csv").write_text(f"phone,owner email,owner name\n0977000001,{row}\n", encoding="utf-8")
    named = "  named: {type: csv, path: named.csv}\n"
    lines = report(folder, extensions, "lan@congty.example", connectors=named)
    return [line for line in lines if "no extension for" in line and "An" in line]


def test_a_name_of_two_people_is_no_key_to_advise(tmp_path):
    known = [phone("101", "lan@congty.example"), *(phone(f"10{at}", f"an{at}@congty.example", "An") for at in (3, 4))]
    with Omicall(*known) as server:
        assert named_an(tmp_path, omicall(server), ",An") == [
            (
                "warn   no extension for name An (1 customer): extensions.omicall has the name with 103, 104, "
                "and cannot tell whether "
                "they are meant: let the connector name the e-mail as well"
            )
        ]
        assert named_an(tmp_path, omicall(server), "an5@congty.example,An") == [
            (
                "warn   no extension for email an5@congty.example, name An (1 customer): "
                "extensions.omicall has the name with 103, 104, "
                "and cannot tell whether they are meant: if one is theirs, write `an5@congty.example: 103` under "
                "extensions.inline"
            )
        ]


def test_an_owner_of_the_number_that_nobody_should_have_is_a_warning(tmp_path):
    everybody = "  everybody: {type: csv, path: everybody.csv}\n"
    (tmp_path / "everybody.csv").write_text("phone,owner\n0999999999,lan@congty.example\n", encoding="utf-8")
    found = findings(tmp_path, "  inline: {lan@congty.example: 101}\n", connectors=everybody)
    (line,) = [str(one) for one in found if "asked for" in one.message and one.subject == "everybody"]
    assert line.startswith("warn    everybody: asked for 0999999999: 1 owner(s) in ")
    assert line.endswith("for a number that nobody should have: does the source compare the whole number?")


def test_a_database_that_could_name_its_owners_is_told_how(tmp_path):
    with contextlib.closing(sqlite3.connect(tmp_path / "crm.sqlite")) as db:
        db.execute("CREATE TABLE c (phone, owner)")
    query = "SELECT owner AS email FROM c WHERE phone IN (:forms)"
    crm = f"  crm: {{type: sql, url: 'sqlite:///crm.sqlite', query: '{query}'}}\n"
    assert report(tmp_path, "  inline: {lan@congty.example: 101}\n", connectors=crm)[-1].endswith(
        "cannot be told: crm cannot name all owners; crm can with `owners_query`"
    )


def test_a_list_that_could_not_be_kept_is_a_warning_with_the_whole_path(tmp_path):
    with Omicall(phone("101", "lan@congty.example")) as server:
        keep = omicall(server).replace("}\n", ", keep: no/omicall.json}\n")
        found = findings(tmp_path, keep)
    told = f"the list cannot be kept in {tmp_path}/no/omicall.json: there is no such folder"
    assert f"warn    extensions.omicall: {told}" in [str(one) for one in found]


def test_a_column_of_numbers_that_is_not_read_is_a_warning(tmp_path):
    with service(tmp_path, "  inline: {lan@congty.example: 101}\n") as made:
        (tmp_path / "customers.csv").write_text(
            "phone,owner,Zalo\n0901234567,Lan,0902345678\n0901234568,Lan,0902345679\n", encoding="utf-8"
        )
        told = [str(one) for one in check_service(made, online=False)]
    assert any(line.startswith("warn    customers: unread: customers.csv: 'Zalo'") for line in told)


def named(folder, *rows):
    """Let the customers' owners be these e-mails and names."""
    text = "phone,owner email,owner name\n" + "".join(f"09{at:08},{row}\n" for at, row in enumerate(rows, 1))
    (folder / "customers.csv").write_text(text, encoding="utf-8")


def report_of(folder, extensions, *rows):
    file = folder / "config.yaml"
    file.write_text(f"{CONFIG}extensions:\n{extensions}", encoding="utf-8")
    named(folder, *rows)
    made = Service(load_config(file))
    try:
        found = [one for one in check_service(made, online=True) if one.subject == "directory"]
        return [str(one).replace("  directory:", "") for one in found]
    finally:
        made.close()


def test_two_owners_of_one_name_are_told_with_what_to_write(tmp_path):
    lines = report_of(tmp_path, "  inline: {Hoà: 101}\n", "lan1@congty.example,Hoà", "lan2@congty.example,Hòa")
    assert lines[0] == "FAILED 2 owner(s) named by customers, and none has an extension: no phone rings"
    assert lines[1] == (
        "warn   'Hoà' is what several owners of customers are called (email lan1@congty.example; "
        "email lan2@congty.example), and leads to nobody: write `lan1@congty.example: EXTENSION` and "
        "`lan2@congty.example: EXTENSION` under extensions.inline"
    )


def test_two_owners_of_one_name_who_are_known_by_something_else_are_no_matter(tmp_path):
    inline = "  inline: {lan1@congty.example: 101, lan2@congty.example: 102}\n"
    rows = ("lan1@congty.example,Lan", "lan2@congty.example,Lan")
    assert report_of(tmp_path, inline, *rows) == ["ok     2 owner(s) named by customers; 2 with an extension"]


def test_two_spellings_of_one_person_are_no_warning(tmp_path):
    inline = "  inline: {Thủy: 101, Đức: 102}\n"
    lines = report_of(tmp_path, inline, ",Thuỷ", ",THỦY", ",\u00d0ức", ",Đức\u200b")
    assert lines == ["ok     2 owner(s) named by customers; 2 with an extension"]


def test_whoever_has_no_extension_on_purpose_is_no_warning(tmp_path):
    inline = "  inline: {lan@congty.example: 101, minh@congty.example: [], nghi@congty.example: []}\n"
    assert report(tmp_path, inline) == [
        "ok     3 owner(s) named by customers; 1 with an extension, 2 without one on purpose"
    ]


def test_a_part_of_a_name_that_is_known_is_told(tmp_path):
    (line,) = report_of(tmp_path, "  inline: {Minh: 109, Lan: 101}\n", ',"Vo, Minh"', ',"Lan, Minh"')[1:]
    assert line == (
        "warn   no extension for name Vo, Minh (1 customer; 'Minh' known, 'Vo' not: nobody is rung for a part of a "
        'name): write `"Vo, Minh": EXTENSION` under extensions.inline, or `"Vo, Minh": []` if none is to be'
    )


def test_a_direction_mark_in_a_name_is_shown_and_not_obeyed():
    told = str(Finding("crm", "no extension\nfor name \u202enaL\u2066 \x1b[2J, Nguyễn"))
    assert told == "ok      crm: no extension for name \\u202enaL\\u2066 \\u001b[2J, Nguyễn"


def test_owners_without_an_extension_come_with_the_number_of_their_customers_the_most_first(tmp_path):
    owners = ["lan@congty.example", "minh@congty.example", "MINH@congty.example", "nghi@congty.example"]
    lines = report(tmp_path, "  inline: {x: 1}\n", *owners, "minh@congty.example")
    told = [line.partition(":")[0] for line in lines if "no extension for" in line]
    assert told == [
        "warn   no extension for email minh@congty.example (3 customers)",
        "warn   no extension for email lan@congty.example (1 customer)",
        "warn   no extension for email nghi@congty.example (1 customer)",
    ]


@pytest.mark.parametrize(
    ("extensions", "rows"),
    [
        ("  inline: {lan@congty.example: 101}\n", ("lan@congty.example,", "Lan@congty.example,")),
        ("  inline: {Nguyễn Văn An: 101, Nguyen Van An: 101}\n", (",Nguyễn Văn An", ",Nguyen  Van An")),
        ("  inline: {Nguyễn Văn An: 101}\n", (",Nguyễn Văn An", ",Nguye\u0302\u0303n Va\u0306n An")),
        ("  csv: {path: staff.csv}\n", ("lan@congty.example,", ",Trần Thị Lan")),
        (
            "  inline: {lan@congty.example: 101, Lan: 101}\n",
            ("lan@congty.example,", ",Lan", "lan@congty.example,Lan"),
        ),
    ],
)
def test_whoever_is_likely_one_person_at_one_phone_is_no_warning(tmp_path, extensions, rows):
    (tmp_path / "staff.csv").write_text("Họ tên,email,ext\nTrần Thị Lan,lan@congty.example,101\n", encoding="utf-8")
    lines = report_of(tmp_path, extensions, *rows)
    assert [line for line in lines if not line.startswith("ok ")] == []


@pytest.mark.parametrize("sign", ["-", "–", "không", "Không có", "none"])
def test_a_sign_in_a_list_says_that_somebody_has_no_extension_on_purpose(tmp_path, caplog, sign):
    staff = f"email,ext\nlan@congty.example,101\nminh@congty.example,{sign}\nnghi@congty.example,\n"
    (tmp_path / "staff.csv").write_text(staff, encoding="utf-8")
    with service(tmp_path, "  csv: {path: staff.csv}\n") as made:
        told = [str(one) for one in check_service(made, online=True)]
        assert "ok      directory: 3 owner(s) named by customers; 1 with an extension, 1 without one on purpose" in told
        (line,) = [line for line in told if "no extension for" in line]
        assert "nghi@congty.example" in line  # a blank cell says nothing
        decision = made.lookup.answer(["0900000002"], [""], Deadline.after(5))
    assert (decision.outcome, decision.body) == (Outcome.UNMAPPED, "")
    assert "no extension for email minh" not in caplog.text


NOBODY = "FAILED 3 owner(s) named by customers, and none has an extension: no phone rings"


@pytest.mark.parametrize("online", [False, True])
def test_a_list_whose_owners_have_no_extension_at_all_fails_with_what_to_write(tmp_path, online):
    with service(tmp_path, "  inline: {}\n", *OWNERS, "nghi@congty.example") as made:
        found = [one for one in check_service(made, online=online) if one.failed]
    (told,) = [str(one).replace("  directory:", "") for one in found]
    assert told == (
        f"{NOBODY}: write who has which extension, `extensions: {{inline: {{nghi@congty.example: EXTENSION}}}}`, "
        "or name a list of them, such as `extensions: {csv: {path: extensions.csv}}`"
    )


def test_a_column_of_extensions_that_was_taken_for_owners_is_told(tmp_path):
    with service(tmp_path, "  inline: {}\n") as made:
        (tmp_path / "customers.csv").write_text("phone,owner\n0901234567,101\n0912345678,101/102\n", encoding="utf-8")
        found = [one for one in check_service(made, online=False) if one.failed]
    (told,) = found
    assert told.message == (
        "2 owner(s) named by customers, and none has an extension: no phone rings: if what names them are their "
        "extensions, name that column so: `columns: {extension: 'Header'}`"
    )


def test_what_is_wrong_with_a_list_of_extensions_is_said_once(tmp_path):
    (tmp_path / "extensions.csv").write_text("owner,telephone set\nLan,101\n", encoding="utf-8")
    with service(tmp_path, "  csv: {path: extensions.csv}\n") as made:
        found = [one for one in check_service(made, online=False) if one.subject == "extensions"]
    assert [(one.severity, one.message.partition(":")[2][:43]) for one in found] == [
        ("FAILED", " no column is recognised as the extension: ")
    ]


@pytest.mark.parametrize("online", [False, True])
def test_a_list_of_extensions_that_knows_none_of_the_owners_fails(tmp_path, online):
    (tmp_path / "extensions.csv").write_text("owner,extension\nLan,101\n", encoding="utf-8")
    with service(tmp_path, "  csv: {path: extensions.csv}\n") as made:
        found = [one for one in check_service(made, online=online) if one.failed]
    assert [str(one).replace("  directory:", "") for one in found] == [NOBODY]


@pytest.mark.parametrize(
    "extensions",
    [
        pytest.param("  inline: {lan@congty.example: 101}\n", id="one of them has an extension"),
        pytest.param("  inline: {lan@congty.example: []}\n", id="one of them has none on purpose"),
    ],
)
def test_that_some_owners_have_no_extension_is_no_failure(tmp_path, extensions):
    with service(tmp_path, extensions) as made:
        assert not [one for one in check_service(made, online=False) if one.subject == "directory"]
        assert not [one for one in check_service(made, online=True) if one.failed]


def test_what_only_another_machine_knows_is_not_judged_unasked(tmp_path):
    elsewhere = "  crm: {type: csv, url: 'http://127.0.0.1:9/customers.csv'}\n"
    with service(tmp_path, "  inline: {}\n", connectors=elsewhere) as made:
        assert not [one for one in check_service(made, online=False) if one.failed]
