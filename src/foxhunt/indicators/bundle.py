"""A bundle: one snapshot in one file, for machines without a network.

```
bundle.zip
    manifest.json         what is in it, and a SHA-256 of each other member and of itself
    indicators.parquet    the snapshot, byte for byte
```

The hashes tell damage from the file that was exported. They prove nothing about who made it: for
that, compare the SHA-256 of the whole file, which `export` and `import` print, over another way.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from foxhunt import __version__, atomic
from foxhunt.errors import BundleError, SourceSpan, StoreError, UsageError
from foxhunt.indicators.collection import IndicatorSet
from foxhunt.indicators.model import IndicatorType
from foxhunt.indicators.snapshot import decode
from foxhunt.snapshot_files import created_at

FORMAT = "foxhunt.bundle/1"
# ThreatFox's FAQ said CC0 of its data; what others write since is "fair use, no redistribution of
# full dumps" (read 2026-09). So the terms are pointed to, not repeated.
LICENCE = (
    "The indicators are data of their sources and under the sources' terms, not foxhunt's. "
    "ThreatFox: fair use, see https://threatfox.abuse.ch/faq/#tos before you pass this file on, "
    "within your organisation or to others; commercial use may need a subscription."
)
_MANIFEST, _DATA = "manifest.json", "indicators.parquet"
_KEYS = frozenset(
    {"format", "foxhunt", "snapshot", "created", "indicators", "quarantined", "by_type", "sources"}
    | {"first_seen", "last_activity", "licence", "members", "sha256"}
)
_MAX_FILE_BYTES = 2 * 1024**3
_MAX_MANIFEST_BYTES = 1024 * 1024
_MAX_DATA_BYTES = 1024**3
# Parquet that is packed once more shrinks by a few per cent, and deflate ends at 1,032.
_MAX_RATIO = 100
_MAX_ROWS = 20_000_000
_MAX_TABLE_BYTES = 8 * 1024**3
_BATCH = 8_192
_NOT_BEFORE = (1980, 1, 1, 0, 0, 0)  # the oldest time that a zip can hold


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """A bundle that was read and found whole.

    Attributes:
        indicators: The set.
        snapshot: Name of the snapshot it was exported from.
        created: When that snapshot was written; aware, UTC.
        foxhunt: Version that exported it.
        sha256: Of the whole file.
        licence: What it says about the terms of its data.
    """

    indicators: IndicatorSet
    snapshot: str
    created: datetime
    foxhunt: str
    sha256: str
    licence: str


def write_bundle(path: Path, data: bytes, name: str) -> str:
    """Write the snapshot ``name``, of which ``data`` are the bytes; the same bytes every time.

    Returns:
        SHA-256 of the file.

    Raises:
        StoreError: The snapshot is damaged.
        UsageError: ``path`` cannot be written.
    """
    created = created_at(name)
    if created is None:
        raise StoreError(f"not a snapshot's name: {name[:80]!r}")
    known = _described(decode(data, name), name, created)
    manifest: dict[str, object] = {
        "format": FORMAT,
        "foxhunt": __version__,
        **known,
        "licence": LICENCE,
        "members": {_DATA: {"sha256": _sha256(data), "size_bytes": len(data)}},
    }
    manifest["sha256"] = _self_hash(manifest)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
        text = json.dumps(manifest, indent=2, ensure_ascii=True) + "\n"
        archive.writestr(_entry(_MANIFEST), text.encode())
        archive.writestr(_entry(_DATA), data)
    whole = packed.getvalue()
    with atomic.replacing(path) as out:
        out.buffer.write(whole)
    return _sha256(whole)


def read_bundle(path: Path, sha256: str | None = None) -> Bundle:
    """Read a bundle and check all that can be checked.

    Args:
        path: The file.
        sha256: What its SHA-256 has to be, in hex; None if nobody said.

    Raises:
        UsageError: There is no such file.
        BundleError: It is no bundle, of another version, damaged, or was changed: says what
            differs.
    """
    try:
        return _read(path, sha256)
    except BundleError as error:
        error.at = SourceSpan(str(path))
        raise


def _read(path: Path, sha256: str | None) -> Bundle:
    whole = _whole(path)
    digest = _sha256(whole)
    if sha256 is not None and sha256.strip().lower() != digest:
        raise BundleError(f"its SHA-256 is {digest}, not {sha256.strip()[:80]!r}")
    members = _members(whole)
    manifest = _manifest(members[_MANIFEST])
    data = members[_DATA]
    _check_member(manifest, data)
    name = _text(manifest, "snapshot")
    created = created_at(name)
    if created is None:
        raise BundleError(f"the manifest names no snapshot: {name[:80]!r}")
    _check_size(data)
    try:
        indicators = decode(data, name)
    except StoreError as error:
        raise BundleError(error.message) from error
    _check_rows(indicators)
    _check_description(manifest, _described(indicators, name, created))
    return Bundle(
        indicators=indicators,
        snapshot=name,
        created=created,
        foxhunt=_text(manifest, "foxhunt"),
        sha256=digest,
        licence=_text(manifest, "licence"),
    )


def _whole(path: Path) -> bytes:
    if not path.is_file():
        raise UsageError(f"no such file: {path}")
    try:
        size = path.stat().st_size
        if size > _MAX_FILE_BYTES:
            raise BundleError(f"larger than a bundle may be: {size:,} bytes")
        return path.read_bytes()
    except OSError as error:
        raise BundleError(f"cannot be read: {error.strerror}") from error


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, _NOT_BEFORE)
    entry.create_system = 3  # as on Unix, wherever it is written
    entry.external_attr = 0o644 << 16
    return entry


def _described(indicators: IndicatorSet, name: str, created: datetime) -> dict[str, object]:
    """What a manifest tells of a set."""
    table = indicators.table
    sources = {one["values"]: one["counts"] for one in table["source"].value_counts().to_pylist()}
    latest = [pc.max(table[column]).as_py() for column in ("first_seen", "last_seen")]
    return {
        "snapshot": name,
        "created": _time(created),
        "indicators": len(indicators),
        "quarantined": len(indicators.quarantined),
        "by_type": indicators.by_type(),
        "sources": dict(sorted(sources.items())),
        "first_seen": _time(pc.min(table["first_seen"]).as_py()),
        "last_activity": _time(max((t for t in latest if t is not None), default=None)),
    }


def _members(whole: bytes) -> dict[str, bytes]:
    limits = {_MANIFEST: _MAX_MANIFEST_BYTES, _DATA: _MAX_DATA_BYTES}
    try:
        with zipfile.ZipFile(io.BytesIO(whole)) as archive:
            names = [entry.filename for entry in archive.infolist()]
            if sorted(names) != sorted(limits):
                # No paths, none twice: nothing is ever unpacked to the disk.
                shown = ", ".join(repr(name[:80]) for name in names[:10]) or "nothing"
                raise BundleError(f"a bundle holds {_MANIFEST} and {_DATA}; this holds {shown}")
            return {
                entry.filename: _member(archive, entry, limits[entry.filename])
                for entry in archive.infolist()
            }
    except (zipfile.BadZipFile, NotImplementedError, EOFError, ValueError, zlib.error) as error:
        raise BundleError(f"no zip file, or a damaged one: {error}") from error


def _member(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, limit: int) -> bytes:
    if entry.flag_bits & 0x1:
        raise BundleError(f"{entry.filename} is encrypted")
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise BundleError(f"{entry.filename} is packed in a way that no bundle is")
    most = min(limit, _MAX_RATIO * max(entry.compress_size, 1))
    # What the directory says of its size is a claim.
    with archive.open(entry) as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise BundleError(f"{entry.filename} is larger than it may be: over {most:,} bytes")
    return data


def _manifest(text: bytes) -> Mapping[str, Any]:  # Any: JSON
    try:
        manifest = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BundleError(f"{_MANIFEST} is no JSON: {error}") from error
    if not isinstance(manifest, dict):
        raise BundleError(f"{_MANIFEST} is no object")
    if manifest.get("format") != FORMAT:
        raise BundleError(
            f"its format is {str(manifest.get('format'))[:80]!r}, this foxhunt reads {FORMAT!r}",
            hint="import it with the foxhunt that wrote it, or a newer one",
        )
    if manifest.keys() != _KEYS:
        odd = ", ".join(sorted(str(key)[:40] for key in manifest.keys() ^ _KEYS))
        raise BundleError(f"{_MANIFEST} has not the keys of a manifest; differing: {odd}")
    if manifest["sha256"] != _self_hash(manifest):
        raise BundleError(f"{_MANIFEST} was changed after the export: its own hash differs")
    return cast(Mapping[str, Any], manifest)


def _check_member(manifest: Mapping[str, Any], data: bytes) -> None:
    known = {_DATA: {"sha256": _sha256(data), "size_bytes": len(data)}}
    told = manifest["members"]
    if told != known:
        of = told.get(_DATA) if isinstance(told, dict) else None
        said = of.get("sha256") if isinstance(of, dict) else None
        raise BundleError(
            f"{_DATA} is not what was exported: its SHA-256 is {known[_DATA]['sha256']}, the "
            f"manifest says {str(said)[:80]}"
        )


def _check_size(data: bytes) -> None:
    """Refuse data that are much larger in memory: a few bytes can say a billion rows."""
    try:
        file = pq.ParquetFile(pa.BufferReader(data))
        if file.metadata.num_rows > _MAX_ROWS:
            raise BundleError(f"more than {_MAX_ROWS:,} rows: {file.metadata.num_rows:,}")
        size = 0
        for batch in file.iter_batches(batch_size=_BATCH):
            size += batch.nbytes
            if size > _MAX_TABLE_BYTES:
                raise BundleError(f"more than {_MAX_TABLE_BYTES:,} bytes in memory")
    except (pa.ArrowException, OSError) as error:
        raise BundleError(f"{_DATA} cannot be read: {error}") from error


def _check_rows(indicators: IndicatorSet) -> None:
    """Refuse rows that no snapshot of ours holds: the other machine's word is not taken."""
    table = indicators.table
    needed = ("type", "value", "source", "source_id", "threat_type", "malware")
    for name in (*needed, "malware_printable", "confidence_level", "first_seen"):
        if table[name].null_count:
            raise BundleError(f"an indicator without {name}")
    types = pa.array([str(type_) for type_ in IndicatorType])
    known = pc.is_in(table["type"], value_set=types)
    confident = pc.and_(
        pc.greater_equal(table["confidence_level"], 0),
        pc.less_equal(table["confidence_level"], 100),
    )
    plain = pc.invert(pc.match_substring_regex(table["value"], r"[\x00-\x1f\x7f-\x9f]"))
    for what, held in (
        ("of an unknown type", known),
        ("with a confidence_level that is not 0 to 100", confident),
        ("whose value holds control characters", plain),
    ):
        if not pc.all(held, min_count=0).as_py():
            row = pc.index(pa.chunked_array(held), False).as_py()
            value = table["value"][row].as_py()
            raise BundleError(f"an indicator {what}: {value[:80]!r}")


def _check_description(manifest: Mapping[str, Any], known: Mapping[str, object]) -> None:
    for key, value in known.items():
        if manifest[key] != value:
            raise BundleError(
                f"the manifest says {key} {json.dumps(manifest[key])[:80]}, "
                f"the data are {json.dumps(value)[:80]}"
            )


def _text(manifest: Mapping[str, Any], key: str) -> str:
    value = manifest[key]
    if not isinstance(value, str):
        raise BundleError(f"{key} of the manifest is no text")
    return value


def _self_hash(manifest: Mapping[str, object]) -> str:
    rest = {key: value for key, value in manifest.items() if key != "sha256"}
    return _sha256(json.dumps(rest, sort_keys=True, ensure_ascii=True).encode())


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _time(time: datetime | None) -> str | None:
    return None if time is None else time.astimezone(UTC).isoformat().replace("+00:00", "Z")
