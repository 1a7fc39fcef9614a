"""The kit blames no connector that is right: not for XML, and not for customers abroad."""

import pytest

from tests.kit.test_testing import Run

GOOD = """
from bridge.testing import HttpConformance, ServerConformance
from tests.support import good_connectors as good, mistakes, mistakes_at_a_server as server
class OverHttp(HttpConformance):
    owners = (mistakes.LAN,)
    enough, moment, margin = 1, 0.05, 0.5
    made_of = mistakes.Right
    def connector(self, url):
        return self.made_of(mistakes.Settings(url=url, token=self.secret, timeout=0.3))
class TestXml(good.ACrmOfXml, OverHttp):
    made_of = good.ReadsXml
class TestAbroad(good.ACrmWithACustomerAbroad, OverHttp):
    pass
class TestSomebodyAbroad(good.ACrmThatKnowsSomebodyAbroad, OverHttp):
    pass
class TestXmlWithoutNumber(good.ACrmOfXml, OverHttp):
    found = good.xml("<customers><customer><owner>lan@congty.example</owner></customer></customers>")
    class made_of(good.ReadsXml):
        def same(self, phone, call):
            return True
class TestXmlWithoutNumberThatSaysSo(TestXmlWithoutNumber):
    match_is_exact = True
class TestXmlThatComparesNothing(good.ACrmOfXml, OverHttp):
    class made_of(good.ReadsXml):
        def same(self, phone, call):
            return True
"""


pytestmark = pytest.mark.system  # it waits for what hangs


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("strangers")
    (folder / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    (folder / "test_good.py").write_text(GOOD, encoding="utf-8")
    found = Run({}, every=1)
    found.of(folder)
    return found


@pytest.mark.parametrize("name", ["Xml", "Abroad", "SomebodyAbroad", "XmlWithoutNumberThatSaysSo"])
def test_a_connector_that_is_right_passes(run, name):
    assert run.failed.get(name, {}) == {}


def test_what_cannot_be_tried_with_xml_is_left_out_with_a_reason(run):
    for test in ("an_answer_of_another_shape_is_not_nobody", "a_field_of_another_type_is_no_crash"):
        assert "not tried: answers of other shapes: those in found are no JSON" in run.skipped["Xml"][test]


def test_a_number_in_xml_is_compared_as_one_in_json(run):
    failed = run.failed["XmlThatComparesNothing"]
    assert "Compare the number in the record" in failed["the_record_of_another_customer_does_not_count"]


def test_answers_without_a_number_are_not_waved_through(run):
    told = run.failed["XmlWithoutNumber"]["the_record_of_another_customer_does_not_count"]
    assert "no answer in found holds the number 0901234567" in told
    assert "it was tried that it finds no longer and no shorter number" in told
    assert "not tried: " in run.skipped["XmlWithoutNumberThatSaysSo"]["the_number_counts_in_every_spelling"]
