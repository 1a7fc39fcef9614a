"""Which requests of a lookup are made once more: those that change nothing, and never a sign-in."""

from itertools import count

import pytest

from bridge.sdk import Call, Deadline, PhoneNumber, SourceUnavailable
from connectors.rest.connector import RestConnector
from tests.support.crm import Crm, Says, config

FOUND = {"phone": "0901234567", "id": 7}
SEARCH = """
steps:
  - path: contacts
    query: {phone: "{{ caller.nsn }}"}
    match: phone
    take: {owner_id: id}
"""
LOGIN = """
auth:
  type: login
  request: {path: login, json: {user: lan}}
  take: {token: token}
  headers: {X-Token: "{{ login.token }}"}
"""
POSTED = SEARCH.replace("query:", "json:")
CALLER = Call(PhoneNumber("+84901234567"))


@pytest.mark.parametrize(
    ("text", "repeated"),
    [
        (SEARCH, True),
        (SEARCH + "    repeatable: false\n", False),
        (POSTED, False),
        (POSTED + "    repeatable: true\n", True),
    ],
)
def test_a_get_is_made_once_more_and_another_only_if_it_says_so(text: str, repeated: bool) -> None:
    numbers = count()
    with Crm({"contacts": lambda _: FOUND if next(numbers) % 2 == 0 else Says(status=500)}) as crm:
        connector = RestConnector(config(text, crm.url))
        lines: list[str] = []
        connector.find_owners(CALLER, Deadline.after(5))
        if repeated:
            asked = Call(CALLER.caller, None, lines.append)
            assert [owner.id for owner in connector.find_owners(asked, Deadline.after(5))] == ["7"]
            assert [line for line in lines if "asked once more" in line] == [
                "step 1 (contacts): failed: asked once more (2)"
            ]
        else:
            with pytest.raises(SourceUnavailable, match="500"):
                connector.find_owners(CALLER, Deadline.after(5))
        assert len(crm.asked) == (3 if repeated else 2)
        connector.close()


def test_signing_in_is_never_repeated() -> None:
    numbers = count()
    text = LOGIN + SEARCH
    scripts = {"login": lambda _: {"token": "t"} if next(numbers) == 0 else Says(status=500), "contacts": FOUND}
    with Crm(scripts) as crm:
        connector = RestConnector(config(text, crm.url))
        connector.find_owners(CALLER, Deadline.after(5))
        crm.scripts["contacts"] = Says(status=401)
        with pytest.raises(SourceUnavailable, match="500"):
            connector.find_owners(CALLER, Deadline.after(5))
        assert len([one for one in crm.asked if one.path.endswith("login")]) == 2
        connector.close()
