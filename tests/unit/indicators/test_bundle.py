"""A bundle gives back what was exported, or says what differs."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from foxhunt.errors import BundleError, StoreError, UsageError
from foxhunt.indicators import IndicatorSet
from foxhunt.indicators import bundle as bundles
from foxhunt.indicators.bundle import read_bundle, write_bundle
from foxhunt.indicators.snapshot import encode
from foxhunt.snapshot_files import snapshot_name
from tests import golden_files

from .lookup_samples import WRITTEN, every_kind

ALL = every_kind()
Manifest = dict[str, Any]  # Any: JSON


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "fox.bundle"


@pytest.fixture
def whole(path: Path) -> bytes:
    """A good bundle's bytes, which are at ``path`` too."""
    data = encode(ALL)
    write_bundle(path, data, snapshot_name(data, WRITTEN))
    return path.read_bytes()


def members(whole: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed(*files: tuple[str, bytes], how: int = zipfile.ZIP_STORED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", how) as archive:
        for name, data in files:
            archive.writestr(name, data)
    return out.getvalue()


def signed(manifest: Manifest) -> bytes:
    """A manifest whose own hash is right, as a forger would make it."""
    rest = {key: value for key, value in manifest.items() if key != "sha256"}
    text = json.dumps(rest, sort_keys=True).encode()
    return json.dumps(rest | {"sha256": hashlib.sha256(text).hexdigest()}).encode()


def forged(whole: bytes, change: Callable[[Manifest], object]) -> bytes:
    files = members(whole)
    manifest = json.loads(files["manifest.json"])
    change(manifest)
    files["manifest.json"] = signed(manifest)
    return packed(*files.items())


def around(table: pa.Table) -> bytes:
    """A bundle of a forger's own table, all hashes right."""
    out = io.BytesIO()
    pq.write_table(table, out, compression="zstd")
    data = out.getvalue()
    name = snapshot_name(data, WRITTEN)
    member = {"sha256": hashlib.sha256(data).hexdigest(), "size_bytes": len(data)}
    manifest: Manifest = dict.fromkeys(
        ("created", "indicators", "quarantined", "by_type", "sources", "first_seen")
    )
    manifest |= {"format": bundles.FORMAT, "foxhunt": "1", "snapshot": name, "licence": "x"}
    manifest |= {"last_activity": None, "members": {"indicators.parquet": member}}
    return packed(("manifest.json", signed(manifest)), ("indicators.parquet", data))


def test_what_was_exported_is_read_back(path: Path, whole: bytes) -> None:
    read = read_bundle(path)

    assert read.indicators.table.equals(ALL.table)
    assert read.indicators.quarantined == ALL.quarantined
    assert (read.created, read.sha256) == (WRITTEN, hashlib.sha256(whole).hexdigest())


def test_the_same_snapshot_is_the_same_bytes(path: Path, whole: bytes) -> None:
    data = encode(ALL)

    digest = write_bundle(path, data, snapshot_name(data, WRITTEN))

    assert path.read_bytes() == whole
    assert digest == hashlib.sha256(whole).hexdigest()


def test_the_manifest_tells_what_is_in_it(whole: bytes) -> None:
    manifest = json.loads(members(whole)["manifest.json"])
    # What the version of a library decides.
    for key in ("foxhunt", "sha256", "members", "snapshot"):
        del manifest[key]

    golden_files.check("lookups/manifest.json", json.dumps(manifest, indent=2) + "\n")


def test_a_bundle_that_was_packed_again_is_the_same_indicators(path: Path, whole: bytes) -> None:
    path.write_bytes(packed(*members(whole).items(), how=zipfile.ZIP_DEFLATED))

    assert read_bundle(path).indicators.table.equals(ALL.table)


def test_a_bundle_of_nothing_is_a_bundle(path: Path) -> None:
    data = encode(IndicatorSet.of(()))
    write_bundle(path, data, snapshot_name(data, WRITTEN))

    assert len(read_bundle(path).indicators) == 0


def test_a_damaged_snapshot_is_not_exported(path: Path) -> None:
    with pytest.raises(StoreError, match=r"H202: .*is damaged"):
        write_bundle(path, b"PAR1", snapshot_name(b"other", WRITTEN))
    assert not path.exists()


def test_another_file_than_the_one_that_was_promised_is_refused(path: Path, whole: bytes) -> None:
    digest = hashlib.sha256(whole).hexdigest()

    assert read_bundle(path, f" {digest.upper()}\n").sha256 == digest
    with pytest.raises(BundleError, match=f"fox.bundle: H325: its SHA-256 is {digest}, not 'abc'"):
        read_bundle(path, "abc")


def test_no_flipped_bit_gives_other_indicators(path: Path, whole: bytes) -> None:
    for at in range(0, len(whole), max(1, len(whole) // 150)):
        broken = bytearray(whole)
        broken[at] ^= 0x10
        path.write_bytes(broken)
        try:
            read = read_bundle(path)
        except BundleError:
            continue
        # In a date, say: what the zip says besides its members.
        assert read.indicators.table.equals(ALL.table)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 0.999])
def test_a_torn_bundle_is_refused(path: Path, whole: bytes, share: float) -> None:
    path.write_bytes(whole[: int(len(whole) * share)])

    with pytest.raises(BundleError, match="H325: no zip file, or a damaged one"):
        read_bundle(path)


def change(key: str, value: object) -> Callable[[Manifest], object]:
    return lambda manifest: manifest.update({key: value})


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (change("indicators", 17), "the manifest says indicators 17, the data are 16"),
        (change("by_type", {}), "the manifest says by_type {}, the data are"),
        (change("created", "2020-01-01T00:00:00Z"), "the manifest says created"),
        (change("format", "foxhunt.bundle/2"), "its format is 'foxhunt.bundle/2', this foxhunt"),
        (change("format", None), "its format is 'None'"),
        (change("more", 1), "differing: more"),
        (lambda manifest: manifest.pop("licence"), "differing: licence"),
        (change("foxhunt", 7), "foxhunt of the manifest is no text"),
        (change("snapshot", "../../x"), "the manifest names no snapshot: '../../x'"),
        (
            change("snapshot", "20260714T082411.120345Z-5f0c3a9e1b2d4c6f"),
            "is damaged: its content is not what was written",
        ),
        (change("members", {}), "indicators.parquet is not what was exported: its SHA-256 is"),
        (change("members", None), "indicators.parquet is not what was exported"),
    ],
)
def test_a_forged_manifest_is_told_from_the_data(
    path: Path, whole: bytes, edit: Callable[[Manifest], object], message: str
) -> None:
    path.write_bytes(forged(whole, edit))

    with pytest.raises(BundleError, match="H325") as caught:
        read_bundle(path)
    assert message in str(caught.value)


def test_a_manifest_that_was_edited_by_hand_is_refused(path: Path, whole: bytes) -> None:
    files = members(whole)
    files["manifest.json"] = files["manifest.json"].replace(b"fair use", b"free use")
    path.write_bytes(packed(*files.items()))

    with pytest.raises(BundleError, match="was changed after the export: its own hash differs"):
        read_bundle(path)


def test_changed_data_are_refused_with_both_hashes(path: Path, whole: bytes) -> None:
    files = members(whole)
    known = hashlib.sha256(files["indicators.parquet"]).hexdigest()
    files["indicators.parquet"] += b"x"
    path.write_bytes(packed(*files.items()))

    with pytest.raises(BundleError, match=f"SHA-256 is [0-9a-f]{{64}}, the manifest says {known}"):
        read_bundle(path)


@pytest.mark.parametrize(
    "names",
    [
        (),
        ("manifest.json",),
        ("manifest.json", "../indicators.parquet"),
        ("manifest.json", "indicators.parquet", "/etc/cron.d/x"),
        ("manifest.json", "indicators.parquet", "readme.txt"),
    ],
)
def test_other_members_than_a_bundles_are_refused(path: Path, names: tuple[str, ...]) -> None:
    path.write_bytes(packed(*((name, b"{}") for name in names)))

    with pytest.raises(BundleError, match=r"a bundle holds manifest.json and indicators.parquet"):
        read_bundle(path)


@pytest.mark.parametrize("text", [b"", b"[]", b"{", b"[" * 100_000, b"\xff"])
def test_a_manifest_that_is_none_is_refused(path: Path, text: bytes) -> None:
    path.write_bytes(packed(("manifest.json", text), ("indicators.parquet", b"")))

    with pytest.raises(BundleError, match=r"manifest.json is no (JSON|object)"):
        read_bundle(path)


def test_a_member_that_grows_without_end_is_refused(path: Path) -> None:
    bomb = packed(
        ("manifest.json", b"{}"),
        ("indicators.parquet", bytes(2_000_000)),
        how=zipfile.ZIP_DEFLATED,
    )
    path.write_bytes(bomb)

    with pytest.raises(BundleError, match=r"indicators.parquet is larger than it may be"):
        read_bundle(path)


def test_a_billion_rows_of_one_value_are_refused(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path.write_bytes(around(pa.table({"value": pa.repeat("evil.org", 100_000)})))

    with monkeypatch.context() as patched, pytest.raises(BundleError, match="more than 99,999 row"):
        patched.setattr(bundles, "_MAX_ROWS", 99_999)
        read_bundle(path)
    with monkeypatch.context() as patched, pytest.raises(BundleError, match="bytes in memory"):
        patched.setattr(bundles, "_MAX_TABLE_BYTES", 1_000_000)
        read_bundle(path)
    with monkeypatch.context() as patched, pytest.raises(BundleError, match="larger than a bundle"):
        patched.setattr(bundles, "_MAX_FILE_BYTES", 10)
        read_bundle(path)


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("type", "domains", "an indicator of an unknown type: "),
        ("confidence_level", 101, "with a confidence_level that is not 0 to 100: "),
        ("confidence_level", None, "an indicator without confidence_level"),
        ("value", "evil.org\x1b[2J", "whose value holds control characters: 'evil.org\\x1b[2J'"),
        ("source_id", None, "an indicator without source_id"),
        ("first_seen", None, "an indicator without first_seen"),
    ],
)
def test_rows_that_no_snapshot_holds_are_refused(
    path: Path, column: str, value: object, message: str
) -> None:
    table = pq.read_table(io.BytesIO(encode(ALL)))
    field = table.schema.field(column)
    changed = table[column].to_pylist()
    changed[2] = value
    at = table.column_names.index(column)
    path.write_bytes(around(table.set_column(at, field, pa.array(changed, field.type))))

    with pytest.raises(BundleError, match="H325") as caught:
        read_bundle(path)
    assert message in str(caught.value)


def test_a_table_of_something_else_is_refused(path: Path) -> None:
    path.write_bytes(around(pa.table({"a": [1]})))

    with pytest.raises(BundleError, match=r"H325: snapshot .*cannot be read"):
        read_bundle(path)


def test_a_file_that_is_not_there_is_a_mistake_of_the_user(path: Path) -> None:
    with pytest.raises(UsageError, match="H100: no such file"):
        read_bundle(path)
