"""The documents as their readers see them: headings, tables, blocks of code, links."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

ROOT = Path(__file__).parent.parent.parent
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("connectors/*.md")])

_FENCE = re.compile(r"( *)```(\w*)\s*")
_HEADING = re.compile(r"#+ (.+)")
_SPAN = re.compile(r"(`+)(.+?)\1(?!`)")
_BETWEEN_CELLS = re.compile(r"(?<!\\)\|")
_FILE_VARIABLE = re.compile(r"\$\{file:([^}]+)\}")

REST = {"type": "rest", "base_url": "https://crm.example"}
STEP = {"path": "x", "match": "phone", "take": {"owner_id": "id"}}


@dataclass(frozen=True)
class Block:
    """A block of code: where it stands, under which heading, in which language."""

    file: Path
    line: int
    heading: str
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.file.relative_to(ROOT)}:{self.line}"


@dataclass(frozen=True)
class Row:
    """A row of a table, with its heading, and its table's header."""

    heading: str
    header: tuple[str, ...]
    cells: tuple[str, ...]


def blocks(language: str, *files: Path) -> list[Block]:
    """Return the blocks of a language, in order."""
    return [block for file in files or DOCUMENTS for block in _blocks(file) if block.language == language]


def block(file: Path, heading: str, language: str) -> Block:
    """Return the first block of a language under a heading."""
    return next(found for found in blocks(language, file) if found.heading == heading)


def _blocks(file: Path) -> Iterator[Block]:
    heading, opened, lines = "", None, list[str]()
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
        if fence := _FENCE.fullmatch(line):
            if opened:
                text = "".join(f"{line.removeprefix(fence[1])}\n" for line in lines)
                yield Block(file, opened[0], heading, opened[1], text)
            opened, lines = None if opened else (number, fence[2]), []
        elif opened:
            lines.append(line)
        elif found := _HEADING.fullmatch(line):
            heading = found[1]
    assert opened is None, f"{file}: a block of code is not closed"


def prose(file: Path) -> list[str]:
    """Return the lines outside of blocks of code."""
    inside, lines = False, []
    for line in file.read_text(encoding="utf-8").splitlines():
        if _FENCE.fullmatch(line):
            inside = not inside
        elif not inside:
            lines.append(line)
    return lines


def headings(file: Path) -> list[str]:
    """Return the headings."""
    return [found[1] for line in prose(file) if (found := _HEADING.fullmatch(line))]


def anchor(heading: str) -> str:
    """Return what GitHub calls a heading in a link."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def rows(file: Path) -> Iterator[Row]:
    """Return the rows of all tables."""
    heading, header = "", None
    for line in prose(file):
        if found := _HEADING.fullmatch(line):
            heading = found[1]
        if not line.startswith("|"):
            header = None
            continue
        cells = tuple(cell.strip().replace("\\|", "|") for cell in _BETWEEN_CELLS.split(line.strip()[1:-1]))
        if header is None:
            header = cells
        elif set("".join(cells)) - set("-: "):
            yield Row(heading, header, cells)


def spans(text: str) -> list[str]:
    """Return what stands as code within a text."""
    return [found[2].strip() for found in _SPAN.finditer(text)]


def code(file: Path) -> list[str]:
    """Return what a page shows as code: spans of its prose, and lines of its blocks, in whatever language."""
    shown = [span for line in prose(file) for span in spans(line)]
    return [*shown, *(line for block in _blocks(file) for line in block.text.splitlines())]


class AnyEnvironment(dict[str, str]):
    """Knows every variable."""

    def get(self, key: str, default: object = None) -> str:  # noqa: ARG002 - a stand-in
        return f"value-of-{key}"


def whole(found: Block, folder: Path) -> str:
    """Return a block of YAML as a whole configuration.

    A block stands at its place in the file: its indentation says how deep. What is around it is added: at the left edge
    the keys that a file needs; two blanks in, `connectors:`; four, a connector of the type rest; six, its `steps:`.
    Files that `${file:…}` names are made in `folder`.
    """
    text = found.text
    for name in _FILE_VARIABLE.findall(text):
        made = folder / name.replace("/", "_")
        made.write_text("text-of-a-file\n", encoding="utf-8")
        text = text.replace(name, str(made))
    first = next(line for line in text.splitlines() if line.strip() and not line.strip().startswith("#"))
    match len(first) - len(first.lstrip()):
        case 0:
            missing: Mapping[str, object] = {
                "api_keys": ["change-me"],
                "connectors": {"crm": {**REST, "steps": [STEP]}},
            }
            written = {line.split(":")[0] for line in text.splitlines() if line[:1].strip()}
            return text + "".join(yaml.safe_dump({key: missing[key]}) for key in missing.keys() - written)
        case 2:
            return f"api_keys: [change-me]\nconnectors:\n{text}"
        case 4:
            step = "" if re.search("^    steps:", text, re.MULTILINE) else f"    steps: [{STEP}]\n"
            return f"api_keys: [change-me]\nconnectors:\n  crm:\n    {_lines(REST)}\n{text}{step}"
        case 6:
            return f"api_keys: [change-me]\nconnectors:\n  crm:\n    {_lines(REST)}\n    steps:\n{text}"
        case depth:
            raise AssertionError(f"{found}: nothing of the configuration stands {depth} blanks in")


def _lines(settings: Mapping[str, str]) -> str:
    return "\n    ".join(f"{key}: {value}" for key, value in settings.items())
