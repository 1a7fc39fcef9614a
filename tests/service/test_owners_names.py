"""One text names the same owner wherever it comes from: a file, a CRM's answer, a database's row."""

import json
import sqlite3

import pytest

from bridge.config.loading import load_config
from bridge.sdk import Deadline
from bridge.service import Service
from tests.support.crm import Crm

EXTENSIONS = {
    "Pham Minh": 107,
    "Minh": 109,
    "Tran Lan": 105,
    "Lan": 101,
    "lan@congty.example": 121,
    "Lê Thị Thuỷ": 131,
    "Hoà": 132,
    "Hoa": 133,
    "Đức": 134,
    "007": 140,
    "nghi@congty.example": [],
}
CASES = {
    "Pham, Minh": "107",
    "Tran, Lan": "105",
    "Lan, Minh": "101:109",
    "Vo, Minh": "",
    "Lan Nguyen <lan@congty.example>": "121",
    "lan@congty.example (Lan)": "121",
    "[12] Lan": "",
    "Lan/Sales": "",
    "Lê Thị Thủy": "131",
    "L\u00ea Thi\u0323 Thu\u1ef7": "131",
    "HÒA": "132",
    "\u00d0ức": "134",
    "Đức\u200b": "134",
    "Ｌan": "101",
    "nghi@congty.example": "",
}


def decide(folder, source):
    file = folder / "config.yaml"
    written = {"api_keys": ["key"], "connectors": {"crm": source}, "extensions": {"inline": EXTENSIONS}}
    file.write_text(json.dumps(written), encoding="utf-8")
    service = Service(load_config(file))
    try:
        service.open(5.0)
        return service.lookup.answer(["0901234567"], [], Deadline.after(5)).body
    finally:
        service.close()


@pytest.mark.parametrize("header", ["owner", "owner name"])
@pytest.mark.parametrize(("text", "answer"), CASES.items())
def test_in_a_file(tmp_path, text, answer, header):
    (tmp_path / "customers.csv").write_text(f'phone,{header}\n0901234567,"{text}"\n', encoding="utf-8")
    assert decide(tmp_path, {"type": "csv", "path": "customers.csv"}) == answer


@pytest.mark.parametrize(("text", "answer"), CASES.items())
def test_in_an_answer_of_a_crm(tmp_path, text, answer):
    step = {"path": "contacts", "match": "phone", "take": {"name": "owner"}}
    with Crm({"contacts": {"phone": "0901234567", "owner": text}}) as crm:
        assert decide(tmp_path, {"type": "rest", "base_url": crm.url, "steps": [step]}) == answer


@pytest.mark.parametrize(("text", "answer"), CASES.items())
def test_in_a_row_of_a_database(tmp_path, text, answer):
    database = sqlite3.connect(tmp_path / "crm.sqlite")
    database.execute("CREATE TABLE customers (phone, name)")
    database.execute("INSERT INTO customers VALUES ('0901234567', ?)", (text,))
    database.commit()
    database.close()
    query = "SELECT name FROM customers WHERE phone IN (:forms)"
    assert decide(tmp_path, {"type": "sql", "url": "sqlite:///crm.sqlite", "query": query}) == answer


@pytest.mark.parametrize("id_", ["7", "007", "07", "\uff17"])
def test_an_id_has_the_zeros_that_the_list_or_the_crm_happens_to_have(tmp_path, id_):
    step = {"path": "contacts", "match": "phone", "take": {"owner_id": "owner"}}
    with Crm({"contacts": {"phone": "0901234567", "owner": id_}}) as crm:
        assert decide(tmp_path, {"type": "rest", "base_url": crm.url, "steps": [step]}) == "140"
