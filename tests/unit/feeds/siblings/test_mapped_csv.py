"""CSV by a mapping: columns, constants, words for types, times, and where a record is wrong."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from foxhunt.errors import FeedError
from foxhunt.feeds import FeedRead
from foxhunt.feeds.siblings import CsvMapping, mapped_reader, read_mapping
from foxhunt.indicators import Indicator

from ..sibling_samples import MAPPED_CSV, MAPPING, SHA256, read_with, write


def read(text: str, **changes: object) -> FeedRead:
    """A table of value, kind and seen."""
    columns = {"value": "value", "type": "kind", "first_seen": "seen"}
    fields: dict[str, object] = {"source": "ministry", "columns": columns} | changes
    return read_with(mapped_reader(CsvMapping(**fields)), text)  # type: ignore[arg-type]  # fields of several types


def only(text: str, **changes: object) -> Indicator:
    (one,) = read(text, **changes).indicators
    return one


HEAD = "value,kind,seen\n"


def test_the_documented_example_is_read(tmp_path: Path) -> None:
    mapping = read_mapping(write(tmp_path, "map.yaml", MAPPING))

    found = read_with(mapped_reader(mapping), MAPPED_CSV)

    by_value = {one.value: one for one in found.indicators}
    one = by_value["texornacu.com"]
    assert (str(one.type), one.source, one.malware) == ("domain", "ministry", "win.fox")
    assert (one.confidence_level, one.tags, one.threat_type) == (80, ("rat", "c2"), "botnet_cc")
    assert one.first_seen == datetime(2026, 5, 24, 6, 12, tzinfo=UTC)
    assert by_value["9.9.9.9:443"].malware_printable == "Async RAT"
    assert by_value["9.9.9.9:443"].confidence_level == 50


def test_a_refused_record_names_line_column_and_value() -> None:
    found = read(
        f"{HEAD}a.org,domain,soon\nb.org,name,2026-05-24\nlocalhost,domain,2026-05-24\n",
        time_format="%Y-%m-%d",
    )

    assert [(q.value, q.type) for q in found.report.quarantined] == [
        ("a.org", "domain"),
        ("b.org", "name"),
        ("localhost", "domain"),
    ]
    reasons = [q.reason for q in found.report.quarantined]
    assert reasons[0] == "H101: line 2: column 'seen': 'soon' is no time of the form '%Y-%m-%d'"
    assert reasons[1] == "H101: line 3: unknown ioc_type 'name'"
    assert reasons[2].partition(": ")[2].startswith("line 4: ")


def test_a_broken_line_is_named_and_takes_no_other_with_it() -> None:
    found = read(f'{HEAD}a.org,domain,2026-05-24\n"b.org,domain\nx\nc.org,domain,2026-05-24\n')

    assert [one.value for one in found.indicators] == ["a.org", "c.org"]
    assert [q.reason.partition(": ")[2][:6] for q in found.report.quarantined] == [
        "line 3",
        "line 4",
    ]


@pytest.mark.parametrize(
    ("seen", "time_format", "moment"),
    [
        ("2026-05-24", None, datetime(2026, 5, 24, tzinfo=UTC)),
        ("2026-05-24 06:12:33", None, datetime(2026, 5, 24, 6, 12, 33, tzinfo=UTC)),
        ("2026-05-24T06:12:33Z", None, datetime(2026, 5, 24, 6, 12, 33, tzinfo=UTC)),
        ("2026-05-24T06:12:33+02:00", None, datetime(2026, 5, 24, 4, 12, 33, tzinfo=UTC)),
        ("24.05.2026", "%d.%m.%Y", datetime(2026, 5, 24, tzinfo=UTC)),
        ("24/May/2026 06:12 +0200", "%d/%b/%Y %H:%M %z", datetime(2026, 5, 24, 4, 12, tzinfo=UTC)),
        ("1779603153", "epoch", datetime(2026, 5, 24, 6, 12, 33, tzinfo=UTC)),
    ],
)
def test_times_are_read_as_the_mapping_says(
    seen: str, time_format: str | None, moment: datetime
) -> None:
    one = only(f"{HEAD}a.org,domain,{seen}\n", time_format=time_format)

    assert one.first_seen == moment


@pytest.mark.parametrize("seen", ["", "99999999999", "-1", "1e9", "31.12.9999", "\x00"])
def test_a_time_that_is_none_is_quarantined(seen: str) -> None:
    for time_format in (None, "epoch", "%d.%m.%Y"):
        found = read(f'{HEAD}a.org,domain,"{seen}"\n', time_format=time_format)
        assert (found.report.read, found.report.indicators) == (1, 0)


def test_constants_stand_in_for_columns() -> None:
    one = only(
        f"hash\n{SHA256}\n",
        columns={"value": "hash"},
        constants={"type": "sha256_hash", "first_seen": "2026-05-24", "malware": "Fox"},
    )

    assert (one.value, one.malware, one.threat_type) == (SHA256, "fox", "payload")


def test_address_and_port_may_be_two_columns() -> None:
    one = only(
        "ip|port|seen\n2620:fe::fe|443|2026-05-24\n",
        columns={"address": "ip", "port": "port", "first_seen": "seen"},
        separator="|",
    )

    assert one.value == "[2620:fe::fe]:443"


def test_an_id_of_the_file_is_kept_and_one_is_derived_without() -> None:
    columns = {"value": "value", "type": "kind", "first_seen": "seen", "id": "uid"}
    text = "uid,value,kind,seen\n17,a.org,domain,2026-05-24\n,b.org,domain,2026-05-24\n"

    ids = {one.value: one.source_id for one in read(text, columns=columns).indicators}

    assert ids["a.org"] == "17"
    assert ids["b.org"].startswith("v:")


def test_a_first_field_that_begins_like_a_comment_is_a_record() -> None:
    for separator in ",;|\t":
        head = HEAD.replace(",", separator)
        line = f"# only, a remark\n#x.org{separator}domain{separator}2026-05-24\n"
        assert read(head + line, separator=separator).report.read == 1


def test_a_header_in_a_comment_is_read() -> None:
    assert only("# value,kind,seen\n# a remark\na.org,domain,2026-05-24\n").value == "a.org"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("value,kind\na.org,domain\n", "no header with the columns kind, seen, value"),
        ("value,kind,seen,seen\n", "a column stands twice in the header"),
        ("value;kind;seen\n", "not the CSV of ministry"),
    ],
)
def test_a_file_without_the_columns_is_refused(text: str, message: str) -> None:
    with pytest.raises(FeedError, match=message):
        read(text)


def test_unknown_columns_are_named() -> None:
    assert read("value,kind,seen,more\na.org,domain,2026-05-24,x\n").report.unknown_columns == (
        "more",
    )
