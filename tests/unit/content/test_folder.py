"""Folders of content: only what changed, what is gone, versions, and hostile labels."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from foxhunt.content import PAGES, Subject
from foxhunt.content.folder import Written, folder_name, stale_paths, write_folder
from foxhunt.content.manifest import NAME, read_manifest
from foxhunt.errors import UsageError
from foxhunt.indicators import IndicatorSet, IndicatorType
from tests import families
from tests.subjects import subjects


def two_families() -> IndicatorSet:
    """Unknown RAT and a family with one hash."""
    other = families.indicator(
        IndicatorType.SHA256, families.SHA256, 9, malware="win.other", malware_printable="Other"
    )
    return IndicatorSet.of([*families.unknown_rat(), other])


def write(indicators: IndicatorSet, out: Path) -> Written:
    return write_folder(subjects(indicators), PAGES, out)


def test_folders_are_written_once_and_left_alone_after(tmp_path: Path) -> None:
    out = tmp_path / "rules"
    first = write(two_families(), out)
    times = {path: path.stat().st_mtime_ns for path in out.rglob("*") if path.is_file()}

    again = write(two_families(), out)

    assert len(first.written) == 9
    assert (again.written, again.unchanged, again.removed) == ((), 9, ())
    assert {path: path.stat().st_mtime_ns for path in times} == times
    assert (out / "win.other" / "rule.json").is_file()


def test_only_what_changed_is_rewritten_and_what_is_gone_is_removed(tmp_path: Path) -> None:
    write(two_families(), tmp_path)
    kept = tmp_path / "win.other" / "notes.txt"
    kept.write_text("by a person")
    more = families.indicator(IndicatorType.DOMAIN, "third.org", 3)

    report = write(IndicatorSet.of([*families.unknown_rat(), more]), tmp_path)

    assert set(report.written) == {
        "index.md",
        *(f"win.unknown_rat/rule.{kind}" for kind in ("md", "html", "json", "kql")),
    }
    assert report.removed == tuple(
        f"win.other/rule.{kind}" for kind in ("html", "json", "kql", "md")
    )
    assert kept.read_text() == "by a person"
    assert sorted(p.name for p in (tmp_path / "win.other").iterdir()) == ["notes.txt"]


def test_two_runs_make_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write(families.every_type(), tmp_path / name)

    a, b = (
        {
            str(path.relative_to(tmp_path / name)): path.read_bytes()
            for path in (tmp_path / name).rglob("*")
            if path.is_file()
        }
        for name in ("a", "b")
    )
    assert a == b
    assert len(a) == 6


def test_a_manifest_that_was_tampered_with_removes_nothing_outside(tmp_path: Path) -> None:
    out = tmp_path / "rules"
    write(families.unknown_rat(), out)
    precious = tmp_path / "precious.txt"
    precious.write_text("keep")
    listed = ["../precious.txt", str(precious), "a/../../precious.txt", "./../precious.txt"]
    entry = {"sha256": "0" * 64, "version": "1.0.0"}
    (out / NAME).write_text(json.dumps({"files": dict.fromkeys(listed, entry)}))

    write(families.unknown_rat(), out)

    assert precious.read_text() == "keep"


def test_a_broken_manifest_is_an_error_not_an_empty_one(tmp_path: Path) -> None:
    (tmp_path / ".foxhunt-rules.json").write_text("{")

    with pytest.raises(UsageError, match="delete it"):
        write(families.unknown_rat(), tmp_path)


@pytest.mark.parametrize(
    "label", ["../../etc", "/etc", "", "index.md", "CON", "win.a/b", "a" * 300, "win..x", "\ud800"]
)
def test_a_hostile_label_stays_one_folder_below(label: str) -> None:
    name = folder_name(label)

    assert Path(name).name == name
    assert name not in ("", ".", "..", "index.md", ".foxhunt-rules.json")
    assert len(name) < 100


def test_labels_that_look_alike_get_folders_of_their_own() -> None:
    labels = ["win.rat", "WIN.RAT", "win/rat", "win rat", "win-rat"]

    assert len({folder_name(label).casefold() for label in labels}) == len(labels)


def test_a_folder_that_is_in_step_is_said_to_be_and_one_that_is_not_names_what(
    tmp_path: Path,
) -> None:
    assert NAME in stale_paths(subjects(two_families()), PAGES, tmp_path)
    write(two_families(), tmp_path)
    assert stale_paths(subjects(two_families()), PAGES, tmp_path) == ()

    (tmp_path / "win.other" / "rule.kql").write_text("edited")
    assert stale_paths(subjects(two_families()), PAGES, tmp_path) == ("win.other/rule.kql",)

    gone = stale_paths(subjects(families.unknown_rat()), PAGES, tmp_path)
    assert {"win.other/rule.md", "index.md", NAME} <= set(gone)


def versions(out: Path) -> dict[str, str]:
    return {path: entry.version for path, entry in read_manifest(out).files.items()}


def test_a_version_goes_up_only_when_the_content_does(tmp_path: Path) -> None:
    more = families.indicator(IndicatorType.DOMAIN, "third.org", 3)
    write(two_families(), tmp_path)
    assert set(versions(tmp_path).values()) == {"1.0.0"}
    write(two_families(), tmp_path)
    assert set(versions(tmp_path).values()) == {"1.0.0"}

    write(IndicatorSet.of([*two_families(), more]), tmp_path)

    changed = {path for path, version in versions(tmp_path).items() if version == "1.0.1"}
    assert changed == {f"win.unknown_rat/rule.{kind}" for kind in ("md", "html", "json", "kql")}


def test_the_manifest_says_what_the_folder_was_made_of(tmp_path: Path) -> None:
    write(two_families(), tmp_path)
    value = json.loads((tmp_path / NAME).read_text())

    assert value["schema"] == "foxhunt.rules/1"
    assert (value["indicators"], value["families"]) == (
        3,
        {"win.other": 1, "win.unknown_rat": 2},
    )
    assert len(value["snapshot"]) == 64


def test_what_a_format_cannot_say_is_counted_and_the_rest_is_written(tmp_path: Path) -> None:
    mail = families.indicator(IndicatorType.ENVELOPE_FROM, "bill@evil.org", malware="win.mail")
    report = write(IndicatorSet.of([*families.unknown_rat(), mail]), tmp_path)

    assert report.left_out == {"kql": 1}
    assert json.loads((tmp_path / NAME).read_text())["left_out"].keys() == {"win.mail"}


def test_a_run_that_fails_changes_nothing(tmp_path: Path) -> None:
    write_folder(subjects(two_families()), ("kql",), tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}

    def broken() -> Iterator[Subject]:
        yield next(iter(subjects(two_families())))
        raise UsageError("the feed ends in the middle")

    with pytest.raises(UsageError, match="in the middle"):
        write_folder(broken(), PAGES, tmp_path)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_what_a_killed_run_left_is_cleared_away(tmp_path: Path) -> None:
    left = tmp_path / ".foxhunt-staging" / "win.gone"
    left.mkdir(parents=True)
    (left / "rule.kql").write_text("half of a quer")

    write_folder(subjects(two_families()), ("kql",), tmp_path)

    assert not left.parent.exists()
    assert not (tmp_path / "win.gone").exists()


def test_a_file_keeps_the_permissions_that_its_owner_gave_it(tmp_path: Path) -> None:
    write_folder(subjects(two_families()), ("kql",), tmp_path)
    path = next(tmp_path.glob("*/rule.kql"))
    path.write_text("changed by hand")
    path.chmod(0o640)

    assert (
        str(path.relative_to(tmp_path))
        in write_folder(subjects(two_families()), ("kql",), tmp_path).written
    )
    assert path.stat().st_mode & 0o777 == 0o640


def test_a_new_family_takes_nothing_from_a_folder_that_was_there(tmp_path: Path) -> None:
    kept = tmp_path / "win.other" / "notes.txt"
    kept.parent.mkdir()
    kept.write_text("by a person")

    write(two_families(), tmp_path)

    assert kept.read_text() == "by a person"
    assert (tmp_path / "win.other" / "rule.md").is_file()
    assert (tmp_path / "win.unknown_rat").stat().st_mode == kept.parent.stat().st_mode


def test_a_file_in_the_place_of_a_family_is_named(tmp_path: Path) -> None:
    (tmp_path / "win.other").write_text("a file")

    with pytest.raises(UsageError, match=re.escape(f"{tmp_path / 'win.other'}: File exists")):
        write(two_families(), tmp_path)
    assert (tmp_path / "win.other").read_text() == "a file"


def test_processes_make_what_one_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    alone, together = tmp_path / "alone", tmp_path / "together"
    write_folder(subjects(two_families()), ("kql", "stix"), alone)
    monkeypatch.setattr("foxhunt.content.rendering._WORTH_A_PROCESS", 0)
    write_folder(subjects(two_families()), ("kql", "stix"), together)

    files = {p.relative_to(alone) for p in alone.rglob("*") if p.is_file()}
    assert {p.relative_to(together) for p in together.rglob("*") if p.is_file()} == files
    assert all((alone / path).read_bytes() == (together / path).read_bytes() for path in files)
