"""EVTX files: real ones against the parser itself, damaged ones, and what is none."""

from __future__ import annotations

import gzip
import json
import struct
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import zstandard
from evtx import PyEvtxParser
from hypothesis import given
from hypothesis import strategies as st

from foxhunt.errors import LogError
from foxhunt.logs import connect, evtx, open_logs
from foxhunt.logs.model import LogFile
from foxhunt.sql import identifier

from .reading import log_file, read
from .test_sysmon_json import TABLES

NAMES = (
    "LM_DCOM_MSHTA_LethalHTA_Sysmon_3_1.evtx",
    "exec_wmic_xsl_internet_sysmon_3_1_11.evtx",
    "omer_sysmon.evtx",
    "sysmon_3_10_Invoke-Mimikatz_hosted_Github.evtx",
)
HEADER_BYTES, CHUNK_BYTES = 4096, 65536


def counted(path: Path) -> Counter[str]:
    """Rows of each table, by the parser's XML records, which the reader does not use."""
    found: Counter[str] = Counter()
    records = iter(PyEvtxParser(str(path)).records())
    while True:
        try:
            record = next(records)
        except StopIteration:
            return found
        except RuntimeError:
            continue
        text = record["data"]  # type: ignore[index] # the package says a record may be None
        event_id = int(text.split("<EventID>")[1].split("<")[0])
        if event_id in TABLES:
            found[TABLES[event_id]] += 1


@pytest.mark.parametrize("name", NAMES)
def test_real_files_give_every_event(shared_data: Path, name: str) -> None:
    path = shared_data / "logs/evtx" / name
    expected = counted(path)
    assert expected
    assert evtx.recognises(log_file(path))
    with read("evtx", path) as reading:
        assert reading.counts() == dict(expected)


def test_a_real_connection(shared_data: Path) -> None:
    with read("evtx", shared_data / "logs/evtx" / NAMES[1]) as reading:
        rows = reading.rows("DeviceNetworkEvents")
    assert [(row["RemoteIP"], row["RemotePort"], row["ActionType"]) for row in rows][:1] == [
        ("45.76.12.27", 443, "ConnectionSuccess")
    ]
    assert {row["DeviceName"] for row in rows} == {"IEWIN7"}


def test_a_real_inbound_connection_has_the_other_machine_as_remote(shared_data: Path) -> None:
    with read("evtx", shared_data / "logs/evtx" / NAMES[0]) as reading:
        (row,) = reading.rows("DeviceNetworkEvents")
    assert (row["ActionType"], row["LocalIP"], row["RemoteIP"]) == (
        "InboundConnectionAccepted",
        "10.0.2.16",
        "10.0.2.17",
    )


def test_what_lies_behind_the_chunks_is_counted_as_unreadable(shared_data: Path) -> None:
    """The real file goes on with eight blocks that are no chunks: its records may be lost."""
    with read("evtx", shared_data / "logs/evtx/omer_sysmon.evtx") as reading:
        numbers = [number for number, _ in reading.refused()]
    assert numbers == list(range(359, 367))


@pytest.fixture
def whole(shared_data: Path) -> bytes:
    """The header and the nine good chunks of a real file."""
    raw: bytes = (shared_data / "logs/evtx/omer_sysmon.evtx").read_bytes()
    return raw[: HEADER_BYTES + 9 * CHUNK_BYTES]


def total(path: Path) -> tuple[int, list[str]]:
    with read("evtx", path) as reading:
        return sum(reading.counts().values()), [reason for _, reason in reading.refused()]


def test_a_corrupt_chunk_is_one_broken_record_and_the_rest_is_read(
    tmp_path: Path, whole: bytes
) -> None:
    damaged = bytearray(whole)
    start = HEADER_BYTES + 2 * CHUNK_BYTES
    damaged[start + 600 : start + 700] = b"\xff" * 100
    (tmp_path / "whole.evtx").write_bytes(whole)
    (tmp_path / "damaged.evtx").write_bytes(damaged)
    all_rows, reasons = total(tmp_path / "whole.evtx")
    assert reasons == []
    rows, reasons = total(tmp_path / "damaged.evtx")
    assert 0 < rows < all_rows
    assert len(reasons) == 1
    assert "chunk" in reasons[0]


def test_a_chunk_that_was_never_used_is_no_loss(tmp_path: Path, whole: bytes) -> None:
    path = tmp_path / "grown.evtx"
    path.write_bytes(whole + bytes(3 * CHUNK_BYTES))
    assert total(path)[1] == []


@pytest.mark.parametrize("cut", [100, CHUNK_BYTES - 1, CHUNK_BYTES + 5000])
def test_a_torn_file_says_so(tmp_path: Path, whole: bytes, cut: int) -> None:
    path = tmp_path / "torn.evtx"
    path.write_bytes(whole[:-cut])
    rows, reasons = total(path)
    assert rows > 0
    assert reasons[-1] == "the file ends inside a chunk: its records are lost"


def test_missing_chunks_are_noticed(tmp_path: Path, whole: bytes) -> None:
    path = tmp_path / "torn.evtx"
    header = bytearray(whole[: HEADER_BYTES + CHUNK_BYTES])
    struct.pack_into("<H", header, 42, 9)
    path.write_bytes(header)
    assert total(path)[1] == ["the file ends after 1 of 9 chunks: their records are lost"]


@pytest.mark.parametrize("compress", [gzip.compress, zstandard.compress], ids=["gz", "zst"])
def test_compressed_files_are_read(
    tmp_path: Path, whole: bytes, compress: Callable[[bytes], bytes]
) -> None:
    plain, packed = tmp_path / "a.evtx", tmp_path / "a.evtx.packed"
    plain.write_bytes(whole)
    packed.write_bytes(compress(whole))
    assert total(packed) == total(plain)


def test_a_torn_archive_gives_what_is_there_and_says_so(tmp_path: Path, whole: bytes) -> None:
    path = tmp_path / "a.evtx.gz"
    packed = gzip.compress(whole)
    path.write_bytes(packed[: len(packed) // 2])
    rows, reasons = total(path)
    assert rows > 0
    assert len(reasons) == 1


@pytest.mark.parametrize("cores", [1, 2])
def test_files_of_a_folder_give_what_each_gives_alone(
    tmp_path: Path, shared_data: Path, whole: bytes, cores: int
) -> None:
    """Read together and ahead, a broken file and one of another format costs nobody a row."""
    contents = {name: (shared_data / "logs/evtx" / name).read_bytes() for name in NAMES[:2]}
    contents |= {"a.gz": gzip.compress(whole), "broken.evtx": b"ElfFile\0" + b"\xff" * 100}
    contents |= {"e.csv": b"TimeGenerated,Name,Computer\n2026-06-01T10:00:00Z,a.org,PC\n"}
    contents |= {"f.evtx": whole[:-100], "g.evtx": whole + bytes(CHUNK_BYTES), "z.evtx": whole}
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)

    together = list(opened([str(tmp_path)], cores))

    alone = [one for name in sorted(contents) for one in opened([str(tmp_path / name)], 1)]
    assert together == alone
    assert [name for name, *_ in together if "broken" in str(name)] == [
        str(tmp_path / "broken.evtx")
    ]


def opened(paths: list[str], cores: int) -> Iterator[tuple[object, ...]]:
    """Each part with its columns and rows, and each failure, by file."""
    with connect() as con:
        con.execute(f"SET threads = {cores}")
        logs = open_logs(con, paths)
        found: list[tuple[object, ...]] = [(one.name, str(one.error)) for one in logs.failures]
        for part in logs.parts:
            rows = con.execute(f"FROM {identifier(part.view)} ORDER BY _row").fetchall()
            found.append((part.file.name, part.table, part.columns, rows))
    # In the order of the files; parts of one stay in theirs.
    yield from sorted(found, key=lambda one: str(one[0]))


@pytest.mark.parametrize("content", [b"", b"ElfFile\0", b"ElfFile\0" + b"\xff" * 100, b"text"])
def test_what_is_no_evtx_is_an_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.evtx"
    path.write_bytes(content)
    with pytest.raises(LogError, match="not a readable EVTX file"), read("evtx", path):
        pass


@given(st.binary(max_size=100))
def test_recognising_never_raises(head: bytes) -> None:
    assert evtx.recognises(LogFile(Path("x"), "x", "none", head)) == head.startswith(b"ElfFile\0")


def test_the_parsers_json_is_what_the_reader_expects(shared_data: Path) -> None:
    """The reader takes these members; a new version of the package must still have them."""
    record = next(iter(PyEvtxParser(str(shared_data / "logs/evtx" / NAMES[0])).records_json()))
    system = json.loads(record["data"])["Event"]["System"]  # type: ignore[index] # see above
    assert {"EventID", "Channel", "Computer", "Provider", "TimeCreated"} <= set(system)
