"""Bytes that are no characters: they spoil what is taken of them, and nothing else."""

import logging
from collections.abc import Sequence

import pytest

from bridge.sdk import Call, Deadline, Owner, PhoneNumber, SourceError, UnexpectedAnswer
from bridge.sdk.phone import unread_told_to
from connectors.rest.connector import RestConnector
from tests.support.crm import Crm, Says, config, lookup, owners

TEXT = """
steps:
  - path: contacts
    query: {phone: "{{ caller.nsn }}"}
    records: data
    match: phone
    take: {email: owner.email}
"""
LAN, MINH = Owner(email="lan@congty.example"), Owner(email="minh@congty.example")


def record(email: str = "lan@congty.example", note: str = "") -> str:
    return f'{{"phone": "0901234567", "note": "{note}", "owner": {{"email": "{email}"}}}}'


def said(*records: str, charset: str = "") -> Says:
    headers = (("Content-Type", f"application/json; charset={charset}"),) if charset else ()
    return Says(raw=f'{{"data": [{", ".join(records)}]}}'.encode("latin-1"), headers=headers)


def test_a_text_that_nobody_reads_may_be_broken() -> None:
    with Crm({"contacts": said(record(note="Café"))}) as crm:
        assert owners(crm, TEXT) == [LAN]


def test_a_broken_text_that_names_the_owner_is_an_error_and_not_nobody() -> None:
    told = r"step 1 \(contacts\): `owner.email` found .* bytes that are not UTF-8"
    with Crm({"contacts": said(record(email="Café"))}) as crm, pytest.raises(UnexpectedAnswer, match=told):
        owners(crm, TEXT)


NAMED = TEXT.replace("take: {email: owner.email}", "take: {owner_id: owner.id, name: owner.name}")


def named(name: str, owner_id: str = "7") -> Says:
    return said(f'{{"phone": "0901234567", "owner": {{"id": "{owner_id}", "name": "{name}"}}}}')


def test_a_broken_name_beside_the_owners_id_is_for_people_and_loses_nobody() -> None:
    with Crm({"contacts": named("Nguy\xfbn")}) as crm:
        assert owners(crm, NAMED) == [Owner(id="7", name="Nguy\ufffdn")]


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        (NAMED, named("Nguy\xfbn", owner_id="7\xfb")),
        (NAMED, named("Nguy\xfbn", owner_id="")),
        (NAMED.replace("owner_id: owner.id, ", ""), named("Nguy\xfbn")),
        (NAMED + '  - {path: users, query: {name: "{{ name }}"}, take: {email: mail}}', named("Nguy\xfbn")),
    ],
)
def test_a_broken_name_that_says_who_the_owner_is_makes_its_record_unreadable(text: str, answer: Says) -> None:
    with Crm({"contacts": answer, "users": {"mail": "lan@congty.example"}}) as crm, pytest.raises(UnexpectedAnswer):
        owners(crm, text)


def test_a_broken_record_does_not_lose_the_owners_of_the_others() -> None:
    ahead: list[Sequence[Owner]] = []
    with Crm({"contacts": said(record(email="Café"), record("minh@congty.example"))}) as crm:
        connector = RestConnector(config(TEXT, crm.url))
        with pytest.raises(SourceError):
            connector.find_owners(Call(PhoneNumber.parse("0901234567"), so_far=ahead.append), Deadline.after(5))
        connector.close()
    assert list(ahead[-1]) == [MINH]


def test_another_customers_broken_owner_is_nobodys_trouble() -> None:
    another = record(email="Café").replace("0901234567", "0901234568")
    with Crm({"contacts": said(another, record())}) as crm:
        assert owners(crm, TEXT) == [LAN]


def test_a_text_in_its_declared_charset_is_not_broken() -> None:
    text = TEXT.replace("{email: owner.email}", "{name: note}")
    with Crm({"contacts": said(record(note="Café"), charset="ISO-8859-1")}) as crm:
        crm.scripts["contacts"] = Says(raw=crm.scripts["contacts"].raw, headers=(("X", "y"),))
        with pytest.raises(UnexpectedAnswer):
            owners(crm, text)
    with Crm({"contacts": said(record(note="Café"), charset="ISO-8859-1")}) as crm:
        assert owners(crm, text) == [Owner(name="Café")]


@pytest.mark.parametrize("phone", ["0901234567 Café", "é 0901234567", "0901234567é"])
def test_in_a_phone_field_a_broken_character_ends_a_number_like_any_sign(phone: str) -> None:
    with Crm({"contacts": said(record().replace("0901234567", phone))}) as crm:
        assert owners(crm, TEXT) == [LAN]


def test_a_number_that_cannot_be_read_for_its_broken_character_is_told() -> None:
    heard: list[str] = []
    script = {"contacts": said(record().replace("0901234567", "0901é34567"))}
    with Crm(script) as crm, unread_told_to(lambda unread: heard.append(str(unread))):
        assert owners(crm, TEXT) == []
    assert len(heard) == 1
    assert heard[0].encode()


def test_what_is_broken_is_explained_without_breaking_the_explanation() -> None:
    with Crm({"contacts": said(record(note="Café"))}) as crm:
        found = lookup(crm, TEXT.replace("{email: owner.email}", "{email: owner.email}\n    where: note"))
        assert found.owners == [LAN]
        assert all(line.encode() for line in found.lines)


def test_a_broken_name_in_the_list_of_users_takes_nobody_from_the_list(caplog: pytest.LogCaptureFixture) -> None:
    text = (
        "users: {path: users, records: data, take: {owner_id: id, email: mail, name: name}}\n"
        + TEXT.lstrip().replace("{email: owner.email}", "{owner_id: owner.email}")
    )
    users = '{"data": [{"id": "lan", "mail": "lan@congty.example", "name": "Café"}]}'.encode("latin-1")
    with (
        Crm({"users": Says(raw=users), "contacts": said(record(email="lan"))}) as crm,
        caplog.at_level(logging.WARNING),
    ):
        connector = RestConnector(config(text, crm.url))
        connector.open()
        found = connector.find_owners(Call(PhoneNumber.parse("0901234567")), Deadline.after(5))
        assert list(found) == [Owner("lan", "lan@congty.example")]
        connector.close()
    assert "users: 1 text(s) with bytes that are not UTF-8 are left out: name" in caplog.text
