"""What is secret is masked in whatever escapes somebody quotes it, in a time that grows as the text does."""

import html
import json
import re
import time
import unicodedata
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest

from bridge.sdk.phone.number import PhoneNumber
from bridge.sdk.secrets import MASK, Redaction

SECRET = 'S3cr/et+tök==e n&<"x">'


def unicode_escapes(text: str) -> str:
    units = text.encode("utf-16-be").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))


def twice(escape: Callable[[str], str], text: str) -> str:
    return escape(escape(text))


SPELLINGS = {
    "as it is": SECRET,
    "a URL": quote(SECRET, safe=""),
    "a path": quote(SECRET),
    "a form": quote_plus(SECRET),
    "a form that was read twice": SECRET.replace("+", " "),
    "blanks as plus": SECRET.replace(" ", "+"),
    "twice a URL": twice(lambda text: quote(text, safe=""), SECRET),
    "lower-case hex": quote(SECRET, safe="").lower().replace("s3cr", "S3cr"),
    "Latin-1 in a URL": quote(SECRET, safe="", encoding="latin-1"),
    "JSON": json.dumps(SECRET)[1:-1],
    "JSON as PHP writes it": json.dumps(SECRET)[1:-1].replace("/", "\\/"),
    "JSON in JSON": twice(lambda text: json.dumps(text)[1:-1], SECRET),
    "nothing but escapes": unicode_escapes(SECRET),
    "HTML": html.escape(SECRET),
    "HTML by numbers": "".join(f"&#{ord(character)};" for character in SECRET),
    "HTML by hex numbers": "".join(f"&#x{ord(character):X};" for character in SECRET),
    "a URL in HTML in JSON": json.dumps(html.escape(f"/?a=1&b={quote(SECRET)}&c=2"))[1:-1],
    "a part marked": SECRET.replace("cr/e", "<em class=hit>cr/e</em>"),
    "the bytes of Python": repr(SECRET.encode())[2:-1],
    "UTF-8 read as Latin-1": SECRET.encode().decode("latin-1"),
}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_secret_is_masked_in_every_escape(spelling: str) -> None:
    said = Redaction(["another", SECRET])(f"before {SPELLINGS[spelling]} after")
    assert said in {f"before {MASK} after", f"before /?a=1&amp;b={MASK}&amp;c=2 after"}


@pytest.mark.parametrize("before", ["", "a", "ab", "user:"])
@pytest.mark.parametrize("encode", [b64encode, urlsafe_b64encode])
def test_a_secret_in_base64_is_masked_whatever_stands_before_it(before: str, encode: Callable[[bytes], bytes]) -> None:
    secret = "S3cr/et+tok??>>en~~"
    written = encode(f"{before}{secret} and more".encode()).decode()
    said = Redaction([secret])(f"Basic {written} {quote(written, safe='')}")
    assert said.count(MASK) == 2
    assert written[10:16] not in said


@pytest.mark.parametrize("secret", ["abc%41/b", "a\\b\\\\c", "5 &amp; 6", "50%25off", "a+b c"])
def test_a_secret_that_looks_escaped_itself_is_masked(secret: str) -> None:
    mask = Redaction([secret])
    for written in (secret, quote(secret, safe=""), json.dumps(secret)[1:-1], json.dumps(secret).replace("/", "\\/")):
        assert mask(f"<{written}>").strip('<">') == MASK


CALLER = PhoneNumber("+84812345601")


@pytest.mark.parametrize(
    "written",
    [
        *(
            "0812_345_601",
            "0812<b>345601</b>",
            "081%C2%A0234%C2%A05601",
            "0812  ---  345  ---  601",
            "0812&nbsp;345&nbsp;601",
        ),
        *(
            "\uff10\uff18\uff11\uff12\uff13\uff14\uff15\uff16\uff10\uff11",
            "\u0660\u0668\u0661\u0662\u0663\u0664\u0665\u0666\u0660\u0661",
        ),
        *(
            "<h1>0812</h1><h2>345</h2><h3>601</h3>",
            "0812%2520345%2520601",
            "0812&#160;345&#xA0;601",
            "0812\\u00a0345\\u00a0601",
        ),
        *(
            "0812 (mobile) 345 601",
            "0,8,1,2,3,4,5,6,0,1",
            "0812\n345\n601",
            "\\u0030812345601",
            "%30%38%31%32%33%34%35%36%30%31",
        ),
        *(
            "LIKE %812%345601%",
            "+84 812 345 601",
            "0084812345601",
            "&lt;0812&nbsp;345&nbsp;601&gt;",
            "<sip:0812%20345%20601@pbx>",
        ),
    ],
)
def test_a_number_is_masked_whatever_stands_between_its_digits(written: str) -> None:
    said = CALLER.masked_in(f"no {written} here, error 17")
    assert said.startswith("no ")
    assert said.endswith(" here, error 17")
    assert CALLER.masked in said
    assert not re.search("[12345][^0-9]{0,12}[12345]", unicodedata.normalize("NFKC", re.sub("<[^<>]*>", "", said[:-2])))


def test_other_digits_stay_as_they_are() -> None:
    text = "error 422 at 10:15, customer 0912345678 &amp; order%2081234560"
    assert CALLER.masked_in(text) == text


@pytest.mark.parametrize(
    "piece", ["%25", "%", "&", "&#", "\\", "\\u", "<", "<a ", "8", "81234560", "S3cr", "%C2", "&amp;amp;"]
)
def test_masking_takes_no_longer_than_the_text_is_long(piece: str) -> None:
    mask = Redaction([SECRET])

    def seconds(length: int) -> float:
        text = piece * (length // len(piece))
        started = time.process_time()
        mask(text)
        CALLER.masked_in(text)
        return time.process_time() - started

    seconds(1_000)
    assert min(seconds(200_000) for _ in range(2)) < 40 * max(min(seconds(20_000) for _ in range(3)), 0.001)
