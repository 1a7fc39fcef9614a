"""The Vietnamese documents say what the English ones and the program say; what they show is run in test_examples.py."""

import re
import unicodedata

import pytest
import yaml

from bridge.commands.main import main
from bridge.lookup.lookup import Outcome
from connectors.presets.preset import read_preset
from tests.support.documents import ROOT, blocks, code, rows, spans

README, HOME = ROOT / "README.md", ROOT / "README.vi.md"
PAGES = sorted((ROOT / "docs/vi").glob("*.md"))
CONFIGURATION, RECIPES = ROOT / "docs/vi/cau-hinh.md", ROOT / "docs/vi/crm.md"
TROUBLE = ROOT / "docs/vi/xu-ly-su-co.md"

SOURCES = "".join(
    re.sub(r'"\s+f?"', "", file.read_text(encoding="utf-8"))
    for room in ("bridge", "connectors")
    for file in (ROOT / room).rglob("*.py")
)
"""What the program may say; a text that stands on several lines is put together."""
FILLED_IN = r"…|10 s|, |401|none|: rejected|: unavailable|: unexpected-answer|crm"
OTHERS_WORDS = frozenset[str]()
"""What other programs say."""

PROVEN = {
    "máy chủ thật": "real server",
    "mô tả API": "API description",
    "theo tài liệu": "documents",
    "chưa kiểm chứng": "unverified",
}
DEFAULTS = {"bắt buộc": "required"}

KEYS = [
    (spans(row.header[0])[0], *row.cells[:2])
    for row in rows(CONFIGURATION)
    if row.header[0].startswith("tham số của ") and row.header[1] == "mặc định"
]
SEEN = [span for row in rows(TROUBLE) if row.header[0] == "bạn thấy" for span in spans(row.cells[0])]
CALLED = re.compile(r"(?:\$ |bin/|exec bridge )?omi-bridge ((?:[a-z]+|--version)\b.*)")
COMMANDS = sorted(
    {found[1] for file in (HOME, *PAGES) for line in code(file) if (found := CALLED.fullmatch(line.strip()))}
)


@pytest.mark.parametrize("file", [HOME, *PAGES], ids=lambda file: file.name)
def test_letters_are_whole_as_keyboards_type_them(file):
    text = file.read_text(encoding="utf-8")
    assert unicodedata.normalize("NFC", text) == text
    assert not any(unicodedata.combining(sign) for sign in text)


@pytest.mark.parametrize("language", ["sh", "console", ""])
def test_every_command_of_the_readme_is_in_the_vietnamese_one(language):
    english, vietnamese = (
        [line for block in blocks(language, file) for line in block.text.splitlines()] for file in (README, HOME)
    )
    # Pictures are drawn with words, and the map of the code is for programmers.
    assert {line for line in english if not re.search("[─▶└]", line)} - {""} <= set(vietnamese)


def test_the_readmes_show_the_same_configurations():
    english, vietnamese = ([yaml.safe_load(block.text) for block in blocks("yaml", file)] for file in (README, HOME))
    assert english == vietnamese


@pytest.mark.parametrize("file", PAGES, ids=lambda file: file.name)
def test_every_page_is_reached_from_the_readme(file):
    assert f"(docs/vi/{file.name})" in HOME.read_text(encoding="utf-8")


@pytest.mark.parametrize(("section", "key", "default"), KEYS)
def test_a_key_has_the_default_that_the_english_page_gives(section, key, default):
    told = {
        row.cells[0]: row.cells[1]
        for row in rows(ROOT / "docs/configuration.md")
        if row.heading == section and row.header[0] == "key"
    }
    assert told[key] == DEFAULTS.get(default, default)


def test_keys_were_found_to_be_compared():
    assert len(KEYS) > 20


def test_a_preset_is_as_far_proven_as_it_says_itself():
    told = {spans(row.cells[1])[0]: row.cells[2] for row in rows(RECIPES) if row.heading == "Đã kiểm chứng đến đâu"}
    assert len(told) > 10
    for name, proven in told.items():
        assert PROVEN[proven] == read_preset(ROOT / f"connectors/presets/{name}.yaml").proven


@pytest.mark.parametrize("found", blocks("yaml", RECIPES), ids=str)
def test_a_recipe_is_one_of_the_english_ones_which_are_tested(found):
    (settings,) = yaml.safe_load(found.text).get("connectors", yaml.safe_load(found.text)).values()
    if settings["type"] == "sql":
        query = settings["query"].split()
        assert query in [block.text.split() for block in blocks("sql", ROOT / "docs/sql.md")]
    else:
        english = [ROOT / "docs/presets.md", ROOT / "docs/no-owner.md"]
        assert settings in [
            each
            for shown in (yaml.safe_load(block.text) for block in blocks("yaml", *english))
            for each in shown.get("connectors", shown).values()
        ]


def test_every_outcome_is_explained():
    told = {spans(row.cells[0])[0] for row in rows(TROUBLE) if row.header[0] == "kết quả"}
    assert told == set(Outcome)


@pytest.mark.parametrize("seen", [seen for seen in SEEN if re.match("[a-z]", seen) and " " in seen])
def test_what_an_admin_is_said_to_see_is_really_said(seen):
    # What the program fills in stands between the pieces of its text.
    for piece in (piece.strip(" :;,?'") for piece in re.split(FILLED_IN, seen)):
        assert len(piece) < 4 or piece in SOURCES or piece in OTHERS_WORDS, piece


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_and_option_exists(command):
    name, *words = command.split()
    params = main.commands[name].params if name in main.commands else main.params
    options = {"--version", "--help", *(option for param in params for option in param.opts)}
    assert name in {*main.commands, "--version"}
    assert {word.rstrip(".,:)") for word in words if word.startswith("-")} <= options
