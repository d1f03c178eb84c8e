"""The fast reader against the plain one: same rows, same quarantine, same report, same refusals."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foxhunt.errors import FeedError
from foxhunt.feeds.columns import read_columns
from foxhunt.feeds.csv_records import csv_parts, csv_records
from foxhunt.feeds.json_records import json_parts, json_records
from foxhunt.feeds.raw import RawParts, Reading, Run
from foxhunt.feeds.taking import take_parts
from foxhunt.feeds.threatfox import read_record, read_time
from foxhunt.indicators import IndicatorSet

from .feed_samples import COLUMNS_2026, csv_export, csv_row, export, record
from .test_bad_input import HOSTILE

EXAMPLES = 20
SHA256 = "0F" * 32
VALUES = {
    "domain": ["evil.org", "Evil-1.ORG", "a.b.evil.co.uk", "xn--e1acm1a.org", "duckdns.org"],
    "ip:port": ["1.1.1.1:443", "8.8.8.8:65535", "172.67.1.2:80", "203.1.0.1:1", "9.9.9.9:8080"],
    "url": [
        *(
            "http://evil.org/a?b=c",
            "https://1.1.1.1:8443/x/y.php",
            "http://evil.org",
            "tcp://a.b:1",
        ),
        *("https://evil.org:443/", "http://evil.org/a/../b", "https://drive.google.com/x"),
    ],
    "sha256_hash": [SHA256, SHA256.lower(), "a" * 64],
    "md5_hash": ["0123456789abcdef" * 2, "0123456789ABCDEF" * 2],
    "sha1_hash": ["0123456789" * 4],
}
ODD_VALUES = [
    *(
        "",
        "None",
        " ",
        "evil[.]org",
        "hxxp://evil.org/",
        "evil.org.",
        "www.example.com",
        "localhost",
    ),
    *("10.0.0.1:80", "1.1.1.1:0", "1.1.1.1:65536", "01.1.1.1:80", "1.1.1.1", "[2a00::1]:443"),
    *("100.64.0.1:80", "224.0.0.1:1", "192.0.0.9:80", "münchen.de", "-a.org", "a..b", "a.1"),
    *("http://localhost/", "http://10.0.0.1/", "http://evil.org/%2e%2e/a", "http://evil.org?"),
    *(
        "HTTP://EVIL.org/A",
        "http://u:p@evil.org/",
        "http://evil.org/a'b",
        "http://0x7f.1/",
        "0" * 64,
    ),
    *("d41d8cd98f00b204e9800998ecf8427e", "a" * 64 + ".org", "x" * 300 + ".org", "evil.org:80"),
]
TIMES = ["2026-05-24 06:12:33", "2024-02-28 23:59:59", "2100-12-31 00:00:00", "1990-01-01 00:00:00"]
ODD_TIMES = [
    *("2024-02-29 00:00:00", "2023-02-29 00:00:00", "2026-05-24T06:12:33Z", "2101-01-01 00:00:00"),
    *(
        "2026-05-24 06:12:33 UTC",
        "2026-05-24 06:12:33.5",
        "1989-01-01 00:00:00",
        " 2026",
        "None",
        "",
    ),
    *("2026-04-31 00:00:00", "2026-05-24 24:00:00", "2026-05-24 06:12:33 "),
]
WORDS = [
    "",
    "None",
    "rat",
    "rat,c2",
    " a ,, b",
    "\u00e4\U0001f600",
    "a,b,c",
    '"',
    "\\",
    "[x]{y}",
    ", ",
]
LABELS = ["win.fox", "Unknown RAT", "", "None", " ", "x" * 201, "a\u2028b", " padded "]
TEXTS = ["", "None", "https://a.org/?x='y'", "a, b", '", "', ", ", ",", "}],", *HOSTILE.values()]


def either(common: list[Any], odd: list[Any]) -> st.SearchStrategy[Any]:
    """Mostly what is common: most runs should hold some regular records."""
    return st.one_of(*[st.sampled_from(common)] * 3, st.sampled_from(odd))


@st.composite
def changes(draw: st.DrawFn) -> dict[str, Any]:
    """Fields of a record in the spelling of the JSON export, with at most a few odd ones."""
    kind = draw(st.sampled_from(sorted(VALUES)))
    fields: dict[str, Any] = {
        "ioc_type": draw(either([kind], ["", "ipv6", "DOMAIN ", "body_from", "domain"])),
        "ioc_value": draw(either(VALUES[kind], ODD_VALUES)),
        "first_seen_utc": draw(either(TIMES, ODD_TIMES)),
        "last_seen_utc": draw(either([None, *TIMES], ODD_TIMES)),
        "malware": draw(either(LABELS[:2], LABELS)),
        "malware_printable": draw(either(LABELS[:4], LABELS)),
        "threat_type": draw(either(["botnet_cc", ""], LABELS)),
        "malware_alias": draw(either([None, *WORDS[:4]], WORDS)),
        "tags": draw(either([None, *WORDS[:4]], [*WORDS, "\x00"])),
        "reference": draw(either([None, *TEXTS[:4]], TEXTS)),
        "reporter": draw(either(["somebody"], TEXTS)),
    }
    kept = draw(st.sets(st.sampled_from(sorted(fields)), max_size=6))
    return {name: fields[name] for name in kept | {"ioc_type", "ioc_value"}}


def csv_of(fields: dict[str, Any]) -> dict[str, str]:
    row = {
        # Half a character stands in a CSV file as a bad byte; `broken` makes some.
        name: "None" if value is None else value.replace("\ud800", "?")
        for name, value in fields.items()
    }
    if "malware" in row:
        row["fk_malware"] = row.pop("malware")
    return csv_row(**row)


CONFIDENCES = [75, 100, 0]
ODD_CONFIDENCES = [None, "75", "", 101, -1, 75.5, True, "025", "high", 10**30]
FLAGS = [True, False, None]


@pytest.fixture(scope="module", autouse=True)
def small_runs() -> Iterator[None]:
    """Runs end and begin in the middle of files that are small."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("foxhunt.feeds.csv_lines._RUN", 700)
        patch.setattr("foxhunt.feeds.csv_lines._CHUNK", 5000)
        patch.setattr("foxhunt.feeds.json_runs._WINDOW", 4000)
        patch.setattr("foxhunt.feeds.json_runs._RUN", 1500)
        patch.setattr("foxhunt.feeds.json_runs._PAUSE", 1)
        patch.setattr("foxhunt.feeds.json_text._CHUNK", 512)
        patch.setattr("foxhunt.feeds.taking._GROUP", 4)
        yield


def outcome(data: bytes, parts: Callable[[io.TextIOWrapper, Reading], RawParts]) -> object:
    """Everything that a reader says of a file."""
    reading = Reading("feed")
    text = io.TextIOWrapper(io.BytesIO(data), "utf-8-sig", "surrogateescape", newline="\n")
    try:
        taken = take_parts(parts(text, reading), read_record, read_columns)
    except FeedError as error:
        return str(error)
    indicators = IndicatorSet.of_tables(taken.tables)
    counts = (taken.read, taken.found, bool(taken.recognised), taken.unknown)
    rows = [row for table in taken.tables for row in table.to_pylist()]
    return counts, taken.quarantined, reading, rows, indicators.table.to_pylist()


def agree(data: bytes) -> None:
    start = data.removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
    fast, plain = (json_parts, json_records) if start in (b"{", b"[") else (csv_parts, csv_records)
    assert outcome(data, fast) == outcome(data, plain)


@settings(max_examples=EXAMPLES)
@given(
    st.lists(changes(), min_size=1, max_size=12),
    st.sampled_from(["\r\n", "\n", "\r"]),
    st.sampled_from(['", "', '","']),
)
def test_csv_is_read_as_the_plain_reader_reads_it(
    records: list[dict[str, Any]], ending: str, separator: str
) -> None:
    text = csv_export(*(csv_of(fields) for fields in records)).decode()

    agree(text.replace("\r\n", ending).replace('", "', separator).encode())


@settings(max_examples=EXAMPLES)
@given(st.lists(changes(), min_size=1, max_size=12), st.data())
def test_broken_csv_is_read_as_the_plain_reader_reads_it(
    records: list[dict[str, Any]], data: st.DataObject
) -> None:
    text = csv_export(*(csv_of(fields) for fields in records))

    agree(broken(text, data, [b'"', b'""', b"\n", b"\r", b"#", b",", b" ", b"\xff", b"\x00"]))


@settings(max_examples=EXAMPLES)
@given(
    st.lists(changes(), min_size=1, max_size=12),
    st.lists(st.sampled_from([*CONFIDENCES * 6, *ODD_CONFIDENCES]), min_size=12, max_size=12),
    st.sampled_from([None, 4]),
    st.booleans(),
)
def test_json_is_read_as_the_plain_reader_reads_it(
    records: list[dict[str, Any]], confidences: list[object], indent: int | None, is_ascii: bool
) -> None:
    made = [
        record(**fields, confidence_level=confidence, is_compromised=FLAGS[number % 3])
        for number, (fields, confidence) in enumerate(zip(records, confidences, strict=False))
    ]
    # Of two records under one id the second one has an id of its own.
    size = 1 + len(made) % 2
    entries = {str(at): made[at : at + size] for at in range(0, len(made), size)}
    text = json.dumps(entries, indent=indent, ensure_ascii=is_ascii)

    agree(text.encode("utf-8", "surrogatepass"))


@settings(max_examples=EXAMPLES)
@given(st.lists(changes(), min_size=1, max_size=12), st.sampled_from([None, 4]), st.data())
def test_broken_json_is_read_as_the_plain_reader_reads_it(
    records: list[dict[str, Any]], indent: int | None, data: st.DataObject
) -> None:
    entries = {str(number): [record(**fields)] for number, fields in enumerate(records)}
    text = json.dumps(entries, indent=indent).encode()
    marks = [b'"', b"\\", b"}", b"{", b"]", b"[", b",", b":", b" ", b"null", b"\xff", b"\n", b"1"]

    agree(broken(text, data, [*marks, b'}], "9": [{"ioc_value": "a.org"}], "8": [{']))


def broken(text: bytes, data: st.DataObject, marks: list[bytes]) -> bytes:
    """``text`` with up to three pieces put in or taken out anywhere."""
    for _ in range(data.draw(st.integers(0, 3))):
        at = data.draw(st.integers(0, len(text)))
        cut = data.draw(st.sampled_from([0, 0, 1, 2, 60]))
        text = text[:at] + data.draw(st.sampled_from([b"", *marks])) + text[at + cut :]
    return text


def test_most_of_a_feed_is_read_by_columns() -> None:
    """Or else every test above compares the plain reader with itself."""
    rows = csv_export(*(csv_row(ioc_id=str(n)) for n in range(30))).decode()
    text = json.dumps({str(n): [record()] for n in range(30)}, indent=4)

    for parts, source in ((csv_parts, rows), (json_parts, text)):
        found = list(parts(io.StringIO(source), Reading("feed")))
        runs = [part for part in found if isinstance(part, Run)]
        assert sum(map(len, runs)) >= 25
        for run in runs:
            table, is_read = read_columns(run.columns())
            assert pc.all(is_read).as_py()
            assert table.num_rows == len(run)


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_fields_between_regular_records_change_nothing_else(kind: str) -> None:
    """One column after the other, so that runs begin and end at each."""
    rows = [csv_row(ioc_id=str(number)) for number in range(3 * len(COLUMNS_2026))]
    for number, column in enumerate(COLUMNS_2026):
        rows[3 * number + 1] |= {column: HOSTILE[kind].replace("\ud800", "?")}

    agree(csv_export(*rows))


@pytest.mark.parametrize(
    "value", [*HOSTILE.values(), 5, [], ["a"], {}, {"a": [1]}, True, None, ...]
)
def test_odd_fields_between_regular_records_change_nothing_else(value: object) -> None:
    records = [record(ioc_value=f"a{number}.org") for number in range(3 * len(record()))]
    for number, field in enumerate(record()):
        records[3 * number + 1] = record(**{field: value})

    agree(export(*records))


@pytest.mark.parametrize(
    "entry",
    [
        *('"x": [{}]', '"7": []', '"7": 5', '"7": [{}, {}]', '"7": {}', '"data": [{"ioc": "a"}]'),
        *('"7": [{"a": 1, "a": 2}]', '"7": [{"severity": 1}]', '"7": [null]', "null", '"7"'),
        *('"7": [{"tags": "}], "}]', '"7": [{"tags": ":[{"}]', '"7", "reporter": "x": [{}]'),
        *('"7": [{"ioc_value": "\\ud83d"}]', '"7": [{"ioc_value": "a", }]', '"7": [{}}]'),
        *('"7": [{"(id)": "8"}]', '"7": [{"id": "8"}]', '"' + "7" * 40 + '": [{}]', '"7": [{}],'),
        *('"7": [{"a": NaN}]', '"7": [{"a": ' + "[" * 2000 + "]" * 2000 + "}]"),
    ],
)
@pytest.mark.parametrize(("place", "indent"), [(5, None), (5, 4), (11, 4)])
def test_an_odd_entry_is_read_as_the_plain_reader_reads_it(
    entry: str, place: int, indent: int | None
) -> None:
    separators = (",", ":") if indent is None else None
    entries = [
        json.dumps({str(n): [record(ioc_value=f"a{n}.org")]}, indent=indent, separators=separators)
        for n in range(12)
    ]
    members = [text[1:-1].strip() for text in entries]
    members.insert(place, entry)

    agree(("{" + ("," if indent is None else ",\n    ").join(members) + "}").encode())


@pytest.mark.parametrize("anonymous", ["0", 0, None])
def test_every_spelling_of_anonymous_is_read(anonymous: object) -> None:
    agree(export(*(record(anonymous=anonymous) for _ in range(12)), record(anonymous=1)))


def test_two_spellings_of_a_column_are_read_as_the_plain_reader_reads_them() -> None:
    lines = csv_export(csv_row(), csv_row(ioc_id="2")).decode()

    agree(lines.replace('"anonymous","reporter"', '"ioc","malware"').encode())


@settings(max_examples=4 * EXAMPLES)
@given(
    st.one_of(
        st.sampled_from(
            [
                *("2024-02-29 23:59:59", "2023-02-29 00:00:00", "2026-05-24T08:00:00"),
                *("2026-05-24 08:00+02", "2026-05-24 08:00-02", "2026-05-24 08:00:0Z"),
                *("2026-05-24 24:00:00", "2026-05-24 08:00:60", "1989-12-31 23:59:59"),
                *("2101-01-01 00:00:00", "2100-12-31 23:59:59", " 2026-05-24 08:00:0"),
                *("2026-05-24 08:00:0²", "+2026-05-24 08:00:0", "2026-05-24t08:00:00"),
            ]
        ),
        st.from_regex(r"[0-9]{4}-[01][0-9]-[0-3][0-9][ T][0-2][0-9][:0-6Z+-]{6}", fullmatch=True),
    )
)
def test_a_time_of_nineteen_characters_is_what_the_plain_reader_says(text: str) -> None:
    """A column of such times is read by Arrow's own reader of times."""
    run = pa.table({"ioc_id": ["1"], "ioc_value": ["a.org"], "ioc_type": ["domain"]})
    for name, value in (("malware", "win.fox"), ("first_seen", text)):
        run = run.append_column(name, pa.array([value], pa.string()))

    table, _ = read_columns(run)

    if table.num_rows:
        assert table["first_seen"][0].as_py() == read_time(text)
