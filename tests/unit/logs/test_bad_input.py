"""Damage of any kind, in any format: a file is reported or listed as not read, and never fatal."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from foxhunt.hunt import inspect_logs

TIME = "2026-06-01T10:00:00Z"
RECORDS = [
    {"TimeGenerated": TIME, "Name": f"a{n}.example", "QueryType": "A", "Type": "DnsEvents"}
    for n in range(9)
]
COLUMNS = [{"name": name, "type": "string"} for name in RECORDS[0]]


def _parquet() -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(RECORDS), out)
    return out.getvalue()


def _lines(*records: object) -> bytes:
    return b"".join(json.dumps(record).encode() + b"\n" for record in records)


WHOLE: dict[str, bytes] = {
    "CSV": "".join(
        f"{','.join(line)}\n" for line in [[*RECORDS[0]], *([*one.values()] for one in RECORDS)]
    ).encode(),
    "NDJSON": _lines(*RECORDS),
    "array": json.dumps(RECORDS).encode(),
    "records": json.dumps({"records": RECORDS}).encode(),
    "answer": json.dumps(
        {
            "tables": [
                {"name": "T", "columns": COLUMNS, "rows": [[*one.values()] for one in RECORDS]}
            ]
        }
    ).encode(),
    "stream": _lines(
        *(
            {
                "category": "AdvancedHunting-DeviceNetworkEvents",
                "properties": {"Timestamp": TIME, "RemoteIP": "203.0.113.1"},
            }
            for _ in RECORDS
        )
    ),
    "Parquet": _parquet(),
    "Zeek": b"#separator \\x09\n#unset_field\t-\n#path\tdns\n#fields\tts\tid.orig_h\tquery\n"
    b"#types\ttime\taddr\tstring\n" + b"1780308000.5\t10.0.0.1\ta.example\n" * 9,
    "Zeek JSON": _lines(
        *({"_path": "dns", "ts": 1780308000.5, "uid": "C", "query": "a.example"} for _ in RECORDS)
    ),
    "Suricata": _lines(
        *(
            {
                "timestamp": TIME,
                "event_type": "dns",
                "src_ip": "10.0.0.1",
                "dest_ip": "10.0.0.2",
                "dns": {"type": "query", "rrname": "a.example", "rrtype": "A"},
            }
            for _ in RECORDS
        )
    ),
}
PACKS: dict[str, Callable[[bytes], bytes]] = {
    "plain": bytes,
    "gzip": gzip.compress,
    "zstd": zstandard.compress,
}


@pytest.mark.parametrize("name", WHOLE)
def test_the_whole_files_are_read_whole(name: str, tmp_path: Path) -> None:
    """Else what is made of them below would test nothing."""
    path = tmp_path / "x"
    path.write_bytes(WHOLE[name])

    inspection = inspect_logs([str(path)])

    assert inspection.failures == ()
    assert [(report.rows, report.rows_refused) for report in inspection.reports] == [(9, 0)]


_MARKS = [b'"', b",", b"\n", b"\r", b"\0", b"\xff", b"{", b"}", b"[", b"]", b"\\", b"#"]
_VALUES = [
    b"\xef\xbb\xbf",
    b"\\ud800",
    b"\\u0000",
    b"9" * 40,
    b"1e999",
    b"NaN",
    b"null",
    b"[" * 300,
]
_PIECES = st.sampled_from([*_MARKS, *_VALUES, b'{"records":['])


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A file with pieces put in, cut out or turned, packed or not, and cut again."""
    data = draw(st.sampled_from([*WHOLE.values()]))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(data)))
        length = draw(st.sampled_from([0, 0, 1, 9, 200]))
        data = data[:start] + draw(_PIECES | st.binary(max_size=4)) + data[start + length :]
    data = PACKS[draw(st.sampled_from([*PACKS]))](data)
    return data[: len(data) - draw(st.sampled_from([0, 0, 0, 1, 30]))]


@settings(max_examples=150)
@given(damaged(), st.booleans())
def test_a_damaged_file_is_reported_or_listed(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, is_forced: bool
) -> None:
    folder = tmp_path_factory.mktemp("damaged")
    path, good = folder / "damaged", folder / "good"
    path.write_bytes(data)
    good.write_bytes(WHOLE["CSV"])
    forced = [("DnsEvents", str(path))] if is_forced else []

    inspection = inspect_logs([str(folder)], forced)

    told = {one.file for one in inspection.reports} | {one.name for one in inspection.failures}
    assert told == {str(path), str(good)}
    (whole,) = [report for report in inspection.reports if report.file == str(good)]
    assert (whole.rows, whole.rows_refused) == (9, 0)
    for report in inspection.reports:
        assert (report.rows_refused > 0) == bool(report.refused_samples)
    for failure in inspection.failures:
        assert failure.error.code == "H301"
        assert failure.error.message
