"""What reading a telephone number costs: `python bench/phone.py`. Microseconds each, the best of three runs."""

import timeit
from collections.abc import Callable

from bridge.sdk.errors import InvalidNumber
from bridge.sdk.phone import PhoneNumber, parse_all, spelling
from bridge.sdk.phone import number as phone

PLAIN = [f"09{number:08d}" for number in range(0, 100_000_000, 10_007)]
WRITTEN = [f"{n[:4]} {n[4:7]} {n[7:]}" for n in PLAIN]
ACCENTED = [f"+84\u00a0{n[1:4]}\u2013{n[4:]}" for n in PLAIN]
PAIRS = [f"{n} / 0283{n[3:]}" for n in PLAIN]
FOREIGN = [f"+8210{n[2:]}" for n in PLAIN]
RUBBISH = [f"khách {n[7:]}" for n in PLAIN]


def cost(read: Callable[[str], object], texts: list[str]) -> float:
    def read_them() -> None:
        for text in texts:
            try:
                read(text)
            except InvalidNumber:
                continue

    return min(timeit.repeat(read_them, number=1, repeat=3)) / len(texts) * 1e6


def forms(text: str) -> tuple[str, ...]:
    return PhoneNumber.parse(text).forms


def by_libphonenumber(text: str) -> str:
    return phone._read_worldwide(spelling.dialled(text), "VN")  # noqa: SLF001 - the path that plain digits do not take


CASES: list[tuple[str, Callable[[str], object], list[str]]] = [
    ("parse, plain digits", PhoneNumber.parse, PLAIN),
    ("parse, with blanks", PhoneNumber.parse, WRITTEN),
    ("parse, with no-break blank and dash", PhoneNumber.parse, ACCENTED),
    ("parse, foreign", PhoneNumber.parse, FOREIGN),
    ("parse, rubbish", PhoneNumber.parse, RUBBISH),
    ("plain digits by libphonenumber", by_libphonenumber, PLAIN),
    ("parse_all, plain digits", parse_all, PLAIN),
    ("parse_all, with blanks", parse_all, WRITTEN),
    ("parse_all, two numbers", parse_all, PAIRS),
    ("parse_all, rubbish", parse_all, RUBBISH),
    ("parse and all forms", forms, PLAIN),
]

for name, read, texts in CASES:
    print(f"{cost(read, texts):8.2f} µs  {name}")
