"""A preset that lists its customers names the same owners from them as when it asks: every recorded case, both ways."""

import pytest

from bridge.config.plugins import connector_class
from tests.kit.test_presets import CASES, RECORDED, recorded
from tests.support.listed_cases import NOT_LISTED, play_by_list

LISTING = [name for name in RECORDED if connector_class(name).Config.preset.connector.get("list")]
LISTED = ("found", "two_owners", "owner_left", "no_owner", "pre_2018")
"""The cases whose caller stands in the list."""


def test_the_crms_that_were_run_for_real_list_their_customers():
    assert {"espocrm", "suitecrm", "odoo", "vtiger", "dolibarr"} <= set(LISTING)
    assert CASES.is_dir()


@pytest.mark.parametrize(
    ("name", "case"),
    [(name, case) for name in LISTING for case, one in recorded(name).cases.items() if one.by == "call"],
)
def test_customers_read_ahead_have_the_owners_that_the_crm_names_when_asked(name, case):
    cases = recorded(name)
    live = cases.cases[case].owners if cases.cases[case].fails is None else cases.cases[case].fails
    found = play_by_list(connector_class(name), cases, cases.cases[case])
    assert found in (live, NOT_LISTED)
    if case in LISTED:
        assert found == live
