"""Sets for the tests of look-ups, and a snapshot of theirs in small row groups."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from tempfile import TemporaryFile
from typing import Any

import pyarrow.parquet as pq

from foxhunt.errors import SourceSpan
from foxhunt.indicators import IndicatorSet, IndicatorType
from foxhunt.indicators.lookup import SnapshotReader
from foxhunt.indicators.snapshot import encode
from foxhunt.snapshot_files import SnapshotBytes, snapshot_name

from .indicator_samples import FIRST, indicator, refused

HASH = "5f0c3a9e1b2d4c6f5f0c3a9e1b2d4c6f"
WRITTEN = datetime(2026, 7, 14, 8, 24, 11, 120345, tzinfo=UTC)
AT = SourceSpan("a.parquet")


def _of(type_: IndicatorType, number: int, value: str, **changes: Any) -> Any:  # Any: as there
    return indicator(str(number), type=type_, value=value, **changes)


def every_kind() -> IndicatorSet:
    """Indicators of every type on a few hosts, in three families, and two refused records."""
    fox: dict[str, Any] = {  # Any: fields of several types
        "malware": "win.red_fox",
        "malware_printable": "Red Fox",
        "malware_alias": ("Vulpes", "Reynard"),
    }
    url, name, address = IndicatorType.URL, IndicatorType.DOMAIN, IndicatorType.IP_PORT
    return IndicatorSet.of(
        [
            _of(name, 1, "evil.org", tags=("C2", "rat"), reporter="abuse_ch"),
            _of(name, 2, "c2.evil.org", last_seen=FIRST + timedelta(days=30), **fox),
            _of(name, 3, "a.c2.evil.org", confidence_level=25),
            _of(name, 4, "not-evil.org"),
            _of(name, 5, "duckdns.org"),
            _of(name, 6, "me.duckdns.org", malware="elf.cub", malware_printable="Cub"),
            _of(url, 7, "http://c2.evil.org/gate", reference="https://x.org/"),
            _of(url, 8, "https://c2.evil.org:8443/gate", tags=("RAT",), **fox),
            _of(url, 9, "http://evil.org.safe.net/"),
            _of(url, 10, "http://45.137.22.7/a"),
            _of(address, 11, "45.137.22.7:443", source="feodotracker"),
            _of(address, 12, "45.137.22.7:8080", first_seen=FIRST - timedelta(days=400)),
            _of(address, 13, "[2a02:4780::1]:443", is_compromised=True),
            _of(IndicatorType.MD5, 14, HASH, threat_type="payload"),
            _of(IndicatorType.MD5, 15, HASH, threat_type="payload", **fox),
            _of(IndicatorType.ENVELOPE_FROM, 16, "spam@evil.org"),
        ],
        [refused("90"), refused("91", "evil.org")],
    )


def snapshot(indicators: IndicatorSet, rows: int = 3) -> tuple[str, bytes]:
    """Name and bytes of a snapshot with at most ``rows`` rows a group."""
    out = io.BytesIO()
    pq.write_table(pq.read_table(io.BytesIO(encode(indicators))), out, row_group_size=rows)
    data = out.getvalue()
    return snapshot_name(data, WRITTEN), data


def reader(indicators: IndicatorSet, rows: int = 3) -> SnapshotReader:
    """Looks into such a snapshot."""
    name, data = snapshot(indicators, rows)
    return opened(name, data)


def opened(name: str, data: bytes) -> SnapshotReader:
    """Looks into bytes that may be damaged."""
    file = TemporaryFile()  # noqa: SIM115 - the reader closes it
    file.write(data)
    file.flush()
    return SnapshotReader(SnapshotBytes(name, file), at=AT, hint=lambda: "go back")
