"""Countries: what a column or a remark calls them, and what a number's country is called.

Names are ISO 3166's in short, in English; Vietnamese ones stand beside where they differ in more than accents.
"""

import re
import unicodedata
from functools import cache

import phonenumbers

from bridge.sdk.suggestion import nearest

_NAMES = (
    "AC Ascension Island;AD Andorra;AE United Arab Emirates/UAE/Các Tiểu vương quốc Ả Rập Thống nhất;AF Afghanistan;"
    "AG Antigua and Barbuda;AI Anguilla;AL Albania;AM Armenia;AO Angola;AR Argentina;AS American Samoa;AT Austria/Áo;"
    "AU Australia/Úc/Châu Úc;AW Aruba;AX Åland Islands;AZ Azerbaijan;BA Bosnia and Herzegovina;BB Barbados;"
    "BD Bangladesh;BE Belgium/Bỉ;BF Burkina Faso;BG Bulgaria;BH Bahrain;BI Burundi;BJ Benin;BL Saint Barthélemy;"
    "BM Bermuda;BN Brunei;BO Bolivia;BQ Caribbean Netherlands;BR Brazil/Brasil;BS Bahamas;BT Bhutan;BW Botswana;"
    "BY Belarus;BZ Belize;CA Canada;CC Cocos Islands;CD DR Congo;CF Central African Republic;CG Congo;"
    "CH Switzerland/Thụy Sĩ;CI Ivory Coast;CK Cook Islands;CL Chile;CM Cameroon;CN China/Trung Quốc;CO Colombia;"
    "CR Costa Rica;CU Cuba;CV Cape Verde;CW Curaçao;CX Christmas Island;CY Cyprus/Síp;CZ Czechia/Czech Republic/Séc;"
    "DE Germany/Đức;DJ Djibouti;DK Denmark/Đan Mạch;DM Dominica;DO Dominican Republic;DZ Algeria;EC Ecuador;"
    "EE Estonia;EG Egypt/Ai Cập;EH Western Sahara;ER Eritrea;ES Spain/Tây Ban Nha;ET Ethiopia;FI Finland/Phần Lan;"
    "FJ Fiji;FK Falkland Islands;FM Micronesia;FO Faroe Islands;FR France/Pháp;GA Gabon;"
    "GB United Kingdom/UK/Great Britain/England/Anh/Vương quốc Anh;GD Grenada;GE Georgia;GF French Guiana;GG Guernsey;"
    "GH Ghana;GI Gibraltar;GL Greenland;GM Gambia;GN Guinea;GP Guadeloupe;GQ Equatorial Guinea;GR Greece/Hy Lạp;"
    "GT Guatemala;GU Guam;GW Guinea-Bissau;GY Guyana;HK Hong Kong/Hồng Kông;HN Honduras;HR Croatia;HT Haiti;"
    "HU Hungary;ID Indonesia;IE Ireland/Ai-len;IL Israel;IM Isle of Man;IN India/Ấn Độ;"
    "IO British Indian Ocean Territory;IQ Iraq;IR Iran;IS Iceland;IT Italy/Ý;JE Jersey;JM Jamaica;JO Jordan;"
    "JP Japan/Nhật/Nhật Bản;KE Kenya;KG Kyrgyzstan;KH Cambodia/Campuchia;KI Kiribati;KM Comoros;"
    "KN Saint Kitts and Nevis;KP North Korea/Triều Tiên;KR South Korea/Korea/Hàn Quốc;KW Kuwait;KY Cayman Islands;"
    "KZ Kazakhstan;LA Laos/Lào;LB Lebanon;LC Saint Lucia;LI Liechtenstein;LK Sri Lanka;LR Liberia;LS Lesotho;"
    "LT Lithuania;LU Luxembourg;LV Latvia;LY Libya;MA Morocco;MC Monaco;MD Moldova;ME Montenegro;MF Saint Martin;"
    "MG Madagascar;MH Marshall Islands;MK North Macedonia;ML Mali;MM Myanmar/Burma/Miến Điện;MN Mongolia/Mông Cổ;"
    "MO Macao/Macau/Ma Cao;MP Northern Mariana Islands;MQ Martinique;MR Mauritania;MS Montserrat;MT Malta;"
    "MU Mauritius;MV Maldives;MW Malawi;MX Mexico;MY Malaysia;MZ Mozambique;NA Namibia;NC New Caledonia;NE Niger;"
    "NF Norfolk Island;NG Nigeria;NI Nicaragua;NL Netherlands/Holland/Hà Lan;NO Norway/Na Uy;NP Nepal;NR Nauru;"
    "NU Niue;NZ New Zealand;OM Oman;PA Panama;PE Peru;PF French Polynesia;PG Papua New Guinea;PH Philippines;"
    "PK Pakistan;PL Poland/Ba Lan;PM Saint Pierre and Miquelon;PR Puerto Rico;PS Palestine;PT Portugal/Bồ Đào Nha;"
    "PW Palau;PY Paraguay;QA Qatar;RE Réunion;RO Romania;RS Serbia;RU Russia/Nga;RW Rwanda;"
    "SA Saudi Arabia/Ả Rập Xê Út;SB Solomon Islands;SC Seychelles;SD Sudan;SE Sweden/Thụy Điển;SG Singapore;"
    "SH Saint Helena;SI Slovenia;SJ Svalbard;SK Slovakia;SL Sierra Leone;SM San Marino;SN Senegal;SO Somalia;"
    "SR Suriname;SS South Sudan;ST São Tomé and Príncipe;SV El Salvador;SX Sint Maarten;SY Syria;SZ Eswatini;"
    "TA Tristan da Cunha;TC Turks and Caicos Islands;TD Chad;TG Togo;TH Thailand/Thái Lan;TJ Tajikistan;TK Tokelau;"
    "TL Timor-Leste/Đông Timor;TM Turkmenistan;TN Tunisia;TO Tonga;TR Turkey/Türkiye/Thổ Nhĩ Kỳ;"
    "TT Trinidad and Tobago;TV Tuvalu;TW Taiwan/Đài Loan;TZ Tanzania;UA Ukraine;UG Uganda;"
    "US United States/USA/United States of America/America/Mỹ/Hoa Kỳ;UY Uruguay;UZ Uzbekistan;VA Vatican City;"
    "VC Saint Vincent and the Grenadines;VE Venezuela;VG British Virgin Islands;VI US Virgin Islands;"
    "VN Vietnam/Viet Nam/Việt Nam/VNM;VU Vanuatu;WF Wallis and Futuna;WS Samoa;XK Kosovo;YE Yemen;YT Mayotte;"
    "ZA South Africa/Nam Phi;ZM Zambia;ZW Zimbabwe"
)
# What in Vietnamese remarks is a person, a place or a department, though some country is called so, too.
_NAMES_OF_PEOPLE = frozenset({"anh", "áo", "ba lan", "bỉ", "đức", "hà lan", "mỹ", "nga", "nhật", "pháp", "ý"})
_ABBREVIATIONS = frozenset("BA BD BH BN CH CN CO GD HN HR IT KH LA ME MR MS NA NR PR SG TV".split())  # noqa: SIM905
_LONGEST_NAME = 6  # words
_FEWEST_LETTERS = 4  # of a name that is known without its accents
_CODE = re.compile(r"(?:\+|00)?([1-9][0-9]{0,2})(?:\.0)?")
_CODE_BESIDE = re.compile(r"\(?(?:\+|00)?[1-9][0-9]{0,2}\)?")


_RESERVED = {"UK": "GB", "EL": "GR"}
"""What is written for a country's code, and is none: ISO 3166 only keeps it from others."""


def region_named(text: str) -> str:
    """Return the region (ISO 3166) that `+66`, `66`, `TH`, `Thailand`, `Thái Lan` or `Thailand (+66)` stands for.

    Empty if it stands for none.
    """
    written = " ".join(text.split()).strip("'\"()[]")
    if found := _CODE.fullmatch(written.replace(" ", "")):
        region = phonenumbers.region_code_for_country_code(int(found[1]))
        return region if region in _english() else ""
    regions = _regions()
    return regions.get(_key(written)) or regions.get(_key(_CODE_BESIDE.sub("", written))) or ""


def region_meant(text: str) -> str:
    """Return the region that somebody who wrote this most likely meant, empty if none is near: `Vietman` is VN."""
    known = _regions()
    if found := _RESERVED.get(text.upper()) or region_named(f"+{text}" if text.isdigit() else text):
        return found
    near = nearest(_key(text), known) if len(text) > 2 else None  # noqa: PLR2004 - two letters are near to many codes
    return known.get(near or "", "")


def regions_in(remark: str) -> set[str]:
    """Return the regions that a remark of words names: `khách Thái Lan`, or `TH` if it says nothing else.

    Less is certain here than in a column of countries: Đức is somebody's name, and KH means a customer.
    """
    if len(remark) == 2 and remark.isascii() and remark.isupper():  # noqa: PLR2004 - ISO 3166's codes
        return {remark} & _english().keys() - _ABBREVIATIONS
    words = remark.casefold().split()
    runs = {
        " ".join(words[first:last])
        for first in range(len(words))
        for last in range(first + 1, min(first + _LONGEST_NAME, len(words)) + 1)
    }
    return {region for run in runs if (region := _remarked().get(run) or _remarked().get(_plain(run)))}


def country_of(e164: str) -> str:
    """Return what the country of a number is called in English."""
    region = phonenumbers.region_code_for_number(phonenumbers.parse(e164))
    return _english().get(region or "", "no single country")


@cache
def _english() -> dict[str, str]:
    return {entry[:2]: entry[3:].partition("/")[0] for entry in _NAMES.split(";")}


@cache
def _regions() -> dict[str, str]:
    names = {_key(name): entry[:2] for entry in _NAMES.split(";") for name in entry[3:].split("/")}
    return names | {region.lower(): region for region in _english()}


@cache
def _remarked() -> dict[str, str]:
    """Return the names by which a remark is understood: as they are, and the longer ones in other spellings."""
    regions: dict[str, str] = {}
    for entry in _NAMES.split(";"):
        for name in {*entry[3:].casefold().split("/")} - _NAMES_OF_PEOPLE:
            long = len(name) >= _FEWEST_LETTERS
            regions |= dict.fromkeys((name, _plain(name), _key(name)) if long else (name,), entry[:2])
    return regions


def _key(name: str) -> str:
    return "".join(filter(str.isalnum, _plain(name)))


def _plain(name: str) -> str:
    """Return a name without accents."""
    decomposed = unicodedata.normalize("NFD", name.casefold().replace("đ", "d"))
    return "".join(sign for sign in decomposed if not unicodedata.combining(sign))
