"""The formats and the order of asking: a file of one format is never read as another."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foxhunt.logs import format_names
from foxhunt.logs.model import LogFile
from foxhunt.logs.registry import get_format, recognise

from .reading import log_file

SAMPLES = {
    "zeek_tsv": b"#separator \\x09\n#path\tdns\n#fields\tts\tquery\n"
    b"#types\ttime\tstring\n1\ta.org\n",
    "zeek_json": b'{"_path": "dns", "ts": 1780308000.5, "uid": "C1", "query": "a.org"}\n',
    "suricata": b'{"timestamp": "2026-06-01T10:00:00.0+0000", "event_type": "dns", "dns": {}}\n',
    "sysmon_json": b'{"Channel": "Microsoft-Windows-Sysmon/Operational", "EventID": 22, '
    b'"SourceName": "Microsoft-Windows-Sysmon", "QueryName": "a.org"}\n',
    "export_json": b'{"TimeGenerated": "2026-06-01", "Name": "a.org", "QueryType": "A"}\n',
    "export_csv": b"TimeGenerated,Name,QueryType\n2026-06-01,a.org,A\n",
    "evtx": b"ElfFile\0" + b"\0" * 4096,
}


@pytest.mark.parametrize("name", SAMPLES)
def test_each_format_is_recognised_as_itself(name: str, tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(SAMPLES[name])

    assert recognise(log_file(path)) == name


def test_parquet_is_recognised(tmp_path: Path) -> None:
    pq.write_table(pa.table({"a": [1]}), tmp_path / "x")

    assert recognise(log_file(tmp_path / "x")) == "export_parquet"


def test_there_is_a_sample_of_every_format() -> None:
    assert {*SAMPLES, "export_parquet"} == set(format_names())


def test_an_unknown_format_names_the_known_ones() -> None:
    with pytest.raises(KeyError, match="unknown format 'csv'; known: evtx, export_parquet"):
        get_format("csv")


_STARTS = [b"PAR1", b"{", b"[", b'"', b"\n", b",", b"\0", b"\xff", b"a,b,c\n", b"\xef\xbb\xbf"]
_STRANGE = [b'{"Type": 1, "category": "x", "event_type": []}', b"[" * 9999]
_PIECES = st.sampled_from([*SAMPLES.values(), *_STARTS, *_STRANGE])


@given(st.lists(_PIECES | st.binary(max_size=9), max_size=6).map(b"".join))
def test_any_bytes_are_of_a_format_or_none(head: bytes) -> None:
    """Asking a format must not raise, whatever the file starts with."""
    file = LogFile(Path("x"), "x", "none", head)

    for name in format_names():
        assert get_format(name).recognises(file) in (True, False)
