"""A customer who is `Unassigned` in the first source of a route is nobody's there, and the next source answers."""

import json
import sqlite3

import pytest

from bridge.config.loading import load_config
from bridge.sdk import Deadline
from bridge.service import Service
from tests.support.crm import Crm
from tests.support.omicall import API_KEY, Omicall, phone

WORDS = ("Unassigned", "(unassigned)", "-", "--", "N/A", "n.a.", "Chưa phân công", "Ch\u01b0a\u00a0co\u0301", "null")
FIELDS = ("owner_id", "email", "login", "extension")
CASES = [*((word, "name") for word in WORDS), *(("Unassigned", field) for field in FIELDS)]


def decide(folder, source, extensions="{inline: {lan: '101'}}"):
    """Ask a route of this source and a file in which the caller is Lan's."""
    (folder / "lan.csv").write_text("phone,owner\n0901234567,lan\n", encoding="utf-8")
    file = folder / "config.yaml"
    next_ = {"type": "csv", "path": "lan.csv"}
    connectors = json.dumps({"first": source, "next": next_})
    file.write_text(f"api_keys: [key]\nconnectors: {connectors}\nextensions: {extensions}\n", encoding="utf-8")
    service = Service(load_config(file))
    try:
        service.open(5.0)
        return service.lookup.answer(["0901234567"], [], Deadline.after(5))
    finally:
        service.close()


def assert_lan_is_rung(decision):
    assert (decision.outcome.value, decision.body, decision.connector) == ("found", "101", "next")


@pytest.mark.parametrize(("word", "field"), CASES)
def test_in_a_csv_file(tmp_path, word, field):
    column = {"owner_id": "owner id", "name": "owner name"}.get(field, field)
    (tmp_path / "first.csv").write_text(f"phone,owner,{column}\n0901234567,{word},{word}\n", encoding="utf-8")
    assert_lan_is_rung(decide(tmp_path, {"type": "csv", "path": "first.csv"}))


@pytest.mark.parametrize(("word", "field"), CASES)
def test_in_a_record_of_a_crm(tmp_path, word, field):
    step = {"path": "contacts", "records": "data", "match": "phone", "take": {field: "owner.of"}}
    with Crm({"contacts": {"data": [{"phone": "0901234567", "owner": {"of": word}}]}}) as crm:
        assert_lan_is_rung(decide(tmp_path, {"type": "rest", "base_url": crm.url, "steps": [step]}))


@pytest.mark.parametrize("word", WORDS)
def test_in_a_list_within_a_record(tmp_path, word):
    step = {"path": "contacts", "match": "phone", "take": {"email": "owners"}}
    with Crm({"contacts": {"phone": "0901234567", "owners": [word, None]}}) as crm:
        assert_lan_is_rung(decide(tmp_path, {"type": "rest", "base_url": crm.url, "steps": [step]}))


@pytest.mark.parametrize("word", WORDS)
def test_in_a_record_of_a_crm_whose_list_of_users_has_that_word(tmp_path, word):
    step = {"path": "contacts", "match": "phone", "take": {"owner_id": "owner"}}
    users = {"path": "users", "take": {"owner_id": "id", "login": "login"}}
    listed = [{"id": word, "login": "minh"}, {"id": "7", "login": word}]
    with Crm({"contacts": {"phone": "0901234567", "owner": word}, "users": listed}) as crm:
        source = {"type": "rest", "base_url": crm.url, "steps": [step], "users": users}
        assert_lan_is_rung(decide(tmp_path, source))


@pytest.mark.parametrize(("word", "field"), CASES)
def test_in_a_row_of_a_database(tmp_path, word, field):
    with sqlite3.connect(tmp_path / "crm.sqlite") as database:
        database.execute("CREATE TABLE customers (phone, owner)")
        database.execute("INSERT INTO customers VALUES ('0901234567', ?)", (word,))
    database.close()
    query = f"SELECT owner AS {field} FROM customers WHERE phone IN (:forms)"
    assert_lan_is_rung(decide(tmp_path, {"type": "sql", "url": f"sqlite:///{tmp_path}/crm.sqlite", "query": query}))


@pytest.mark.parametrize("word", WORDS)
def test_an_extension_of_nobody_in_omicall_s_list_is_nobody_s(tmp_path, word):
    (tmp_path / "first.csv").write_text(f"phone,owner\n0901234567,{word}\n", encoding="utf-8")
    with Omicall(phone("102", word, word, word), phone("101", name="lan")) as omicall:
        lists = json.dumps({"omicall": {"api_key": API_KEY, "url": omicall.url}})
        assert_lan_is_rung(decide(tmp_path, {"type": "csv", "path": "first.csv"}, lists))
