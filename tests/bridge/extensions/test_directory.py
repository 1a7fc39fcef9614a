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
