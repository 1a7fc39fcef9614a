import logging

import pytest

from bridge.extensions.directory import Directory
from bridge.extensions.index import ExtensionMap
from bridge.sdk.connector import Owner
from bridge.sdk.errors import SourceUnavailable
from bridge.sdk.extension_source import ExtensionEntry


def ids(*entries: tuple[str, str]) -> ExtensionMap:
    return ExtensionMap(ExtensionEntry(ids=(id_,), extensions=(extension,)) for id_, extension in entries)


@pytest.mark.parametrize(
    ("owner", "extensions"),
    [
        (Owner(id="7"), ("101",)),
        (Owner(email="LAN@congty.example"), ("0102", "103")),
        (Owner(login="Minh.T"), ("104",)),
        (Owner(name="nguyễn  thị lan"), ("105",)),
        (Owner(id="7", email="lan@congty.example"), ("101",)),
        (Owner(id="8", email="lan@congty.example"), ("0102", "103")),
        (Owner(id="8"), ()),
        (Owner(id="LAN@CONGTY.EXAMPLE"), ()),
    ],
)
def test_an_owner_is_found_by_id_email_login_or_name(owner, extensions):
    entries = {"7": ["101"], "lan@congty.example": ["0102", "103"], "minh.t": ["104"], "Nguyễn Thị Lan": ["105"]}
    assert Directory(entries).extensions_of(owner) == extensions


def test_ids_that_differ_by_case_alone_are_two_owners():
    directory = Directory({"005A0": ["101"], "005a0": ["102"]})
    assert directory.extensions_of(Owner(id="005A0")) == ("101",)
    assert directory.extensions_of(Owner(id="005a0")) == ("102",)


def test_the_configuration_overrules_what_the_source_says():
    assert Directory({"7": ["101"]}).extensions_of(Owner(id="7", extension="999")) == ("101",)


def test_what_the_source_says_is_used_where_the_configuration_is_silent():
    assert Directory({}).extensions_of(Owner(id="7", extension="0101")) == ("0101",)


@pytest.mark.parametrize("extension", ["", "101;rm", "101:", "１０１", "+84", "a", " 101", "1" * 21, "101\n"])
def test_what_is_no_extension_is_never_rung(extension):
    assert Directory({}).extensions_of(Owner(id="7", extension=extension)) == ()


def test_sources_are_asked_in_order():
    first, second = ids(("7", "101")), ids(("7", "201"), ("8", "202"))
    directory = Directory({}, [lambda: first, lambda: second])
    assert directory.extensions_of(Owner(id="7")) == ("101",)
    assert directory.extensions_of(Owner(id="8")) == ("202",)


def test_a_list_that_was_never_read_leaves_unknown_what_only_it_could_tell():
    def broken() -> ExtensionMap:
        raise SourceUnavailable("staff.csv: there is no such file")

    directory = Directory({"7": ["101"]}, [broken])
    assert directory.extensions_of(Owner(id="7")) == ("101",)
    with pytest.raises(SourceUnavailable, match=r"staff\.csv"):
        directory.extensions_of(Owner(id="8", extension="102"))


def test_an_owner_without_an_extension_is_named_once_and_counted(caplog):
    directory = Directory({})
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            directory.extensions_of(Owner(email="nghi@congty.example"))
        directory.extensions_of(Owner(id="9"))
    line = "no extension for email nghi@congty.example: write `nghi@congty.example: EXTENSION` under extensions.inline"
    assert caplog.text.count(line) == 1
    assert directory.without_extension == 2


def test_an_owner_listed_twice_has_both_extensions_in_order():
    entries = ids(("7", "102"), ("7", "101"), ("7", "102"))
    assert entries.extensions_of(Owner(id="7")) == ("102", "101")


def test_the_list_of_the_pbx_is_asked_after_the_connectors_own_answer():
    own, of_the_pbx = ids(("7", "101")), ids(("7", "301"), ("8", "302"), ("9", "303"))
    directory = Directory({}, [lambda: own], [lambda: of_the_pbx])
    assert directory.extensions_of(Owner(id="7", extension="201")) == ("101",)
    assert directory.extensions_of(Owner(id="8", extension="202")) == ("202",)
    assert directory.extensions_of(Owner(id="9")) == ("303",)


def test_the_connectors_own_answer_needs_no_list_of_the_pbx():
    def broken() -> ExtensionMap:
        raise SourceUnavailable("extensions.omicall: has not been read yet")

    directory = Directory({}, [], [broken])
    assert directory.extensions_of(Owner(id="8", extension="202")) == ("202",)
    with pytest.raises(SourceUnavailable, match="not been read"):
        directory.extensions_of(Owner(id="9"))


def test_looking_without_a_word_names_nobody(caplog):
    directory = Directory({})
    assert directory.find(Owner(id="9")) == ()
    assert (directory.without_extension, caplog.text) == (0, "")


KNOWN = {
    "Pham Minh": ["107"],
    "Minh": ["109"],
    "Tran Lan": ["105"],
    "Lan": ["101"],
    "Đỗ Hương Nghi": ["110"],
    "12": ["120"],
    "Lan Nguyen": ["120"],
    "13": ["130"],
    "lan@congty.example": ["121"],
    "Le Hoa (HCM)": ["140"],
}


@pytest.mark.parametrize(
    ("text", "extensions"),
    [
        ("Pham, Minh", ("107",)),
        ("Tran , Lan", ("105",)),
        ("PHAM,MINH", ("107",)),
        ("Hương Nghi, Đỗ", ("110",)),
        ("Lan, Minh", ("101", "109")),
        ("Minh/Lan", ("109", "101")),
        ("Lan và Minh", ("101", "109")),
        ("Lan & Minh", ("101", "109")),
        ("Pham, Minh; Tran, Lan", ("107", "105")),
        ("Pham, Minh | Lan", ("107", "101")),
        ("Lan Nguyen <lan@congty.example>", ("121",)),
        ("lan@congty.example (Lan)", ("121",)),
        ("lan@congty.example; Minh", ("121", "109")),
        ("lan@congty.example; Vo, Minh", ("121",)),
        ("[12] Lan Nguyen", ("120",)),
        ("Lan Nguyen (12)", ("120",)),
        ("Le Hoa (HCM)", ("140",)),
    ],
)
def test_a_text_leads_to_whom_the_lists_know_by_it(text, extensions):
    directory = Directory(KNOWN)
    assert directory.find(Owner(name=text)) == directory.find(Owner(id=text, name=text)) == extensions


@pytest.mark.parametrize(
    "text",
    [
        *("Vo, Minh", "Lan, Ghost", "Ghost; Lan", "Lan Nguyen/Sales", "Lan Nguyen (Sales)", "Lan Nguyen - Sales"),
        *(
            "[13] Lan Nguyen",
            "[14] Lan Nguyen",
            "Ms. Lan",
            "Le Hoa (HN)",
            "Lan, Pham, Minh",
            "Minh @ Sales",
            "Lan Minh",
        ),
    ],
)
def test_a_part_of_a_text_rings_nobody(text):
    directory = Directory(KNOWN)
    assert directory.find(Owner(name=text)) == directory.find(Owner(id=text, name=text)) == ()


def test_a_part_of_a_name_is_told_once_and_with_every_call(caplog):
    directory = Directory(KNOWN)
    with caplog.at_level(logging.WARNING):
        told = [directory.reach(Owner(name="Vo, Minh")).notes for _ in range(2)]
    assert told == [("not rung: 'Minh' known, 'Vo' not: nobody is rung for a part of a name",)] * 2
    (line,) = caplog.messages
    assert line.startswith(
        "no extension for name Vo, Minh ('Minh' known, 'Vo' not: nobody is rung for a part of a name)"
    )
    assert 'write `"Vo, Minh": EXTENSION` under extensions.inline' in line


def test_a_text_that_may_be_one_person_or_two_is_nobodys():
    directory = Directory({"Pham Minh": ["107"], "Pham": ["103"], "Minh": ["109"]})
    assert directory.find(Owner(name="Pham, Minh")) == ()
    assert directory.doubt(Owner(name="Pham, Minh")) == "it may be one person or several, and all of them are known"
    both_ways = Directory({"Minh Pham": ["107"], "Pham Minh": ["103"]})
    assert both_ways.find(Owner(name="Pham, Minh")) == ()
    whole = Directory({"Pham, Minh": ["107"], "Pham": ["103"], "Minh": ["109"]})
    assert whole.find(Owner(name="Pham, Minh")) == ("107",)


@pytest.mark.parametrize("marks", [{"id": "77"}, {"email": "pham@congty.example"}, {"login": "pham.minh"}])
def test_a_name_beside_what_is_one_persons_is_one_persons(marks):
    directory = Directory({"Pham Minh": ["107"], "Lan": ["101"], "Minh": ["109"]})
    assert directory.find(Owner(name="Pham, Minh", **marks)) == ("107",)
    assert directory.find(Owner(name="Lan, Minh", **marks)) == ()


def test_the_people_of_a_text_may_stand_in_different_lists():
    directory = Directory({"Lan": ["101"]}, [lambda: ids(("8", "102"))], [lambda: ids(("9", "103"))])
    assert directory.find(Owner(id="8, 9")) == ("102", "103")
    assert directory.find(Owner(id="Lan, 9x", name="Lan, 9x")) == ()
    assert directory.find(Owner(name="Lan, Vo", extension="201")) == ("201",)


def test_whoever_has_no_extension_on_purpose_is_not_looked_for_elsewhere_and_not_named(caplog):
    directory = Directory({"7": [], "8": ["101"]}, [lambda: ids(("7", "201"))], [lambda: ids(("7", "301"))])
    with caplog.at_level(logging.WARNING):
        assert directory.reach(Owner(id="7", extension="401")).extensions == ()
    assert (directory.without_extension, caplog.text) == (0, "")
    assert directory.find(Owner(id="7/8")) == ("101",)


@pytest.mark.parametrize("separator", [", ", "; ", "/", " & ", "() ", " - "])
def test_a_crowd_in_one_text_is_nobody_and_takes_no_time_to_be_told(separator):
    directory = Directory({f"Lan {number}": ["101"] for number in range(400)})
    few, crowd, remark = (separator.join(f"Lan {number}" for number in range(count)) for count in (2, 12, 400))
    assert directory.find(Owner(name=few)) == ("101",)
    assert directory.find(Owner(name=crowd)) == directory.find(Owner(id=remark, name=remark)) == ()
    everybody = ", ".join(f"lan{number}@congty.example" for number in range(400))
    assert directory.people(Owner(name=everybody)) == ()


def test_a_list_that_is_read_anew_counts_at_once():
    lists = [ids(("7", "101"))]
    directory = Directory({}, [lambda: lists[-1]])
    assert [directory.extensions_of(Owner(id="7")) for _ in range(2)] == [("101",)] * 2
    lists.append(ids(("7", "102")))
    assert directory.extensions_of(Owner(id="7")) == ("102",)
    lists.append(ids())
    assert directory.extensions_of(Owner(id="7")) == ()


def test_a_list_that_could_not_be_read_before_counts_once_it_can():
    unread = [SourceUnavailable("never read")]

    def first():
        if unread:
            raise unread[0]
        return ids(("7", "101"))

    directory = Directory({}, [lambda: ids(("8", "103")), first])
    for _ in range(2):
        with pytest.raises(SourceUnavailable):
            directory.reach(Owner(id="7"))
    unread.clear()
    assert directory.extensions_of(Owner(id="7")) == ("101",)
