"""`foxhunt convert` as a user runs it."""

from __future__ import annotations

import json
from pathlib import Path

from .running import foxhunt


def test_a_converted_folder_is_hunted_like_the_logs(tmp_path: Path, feed: str, logs: Path) -> None:
    ran = foxhunt("convert", str(logs), "--out", "converted", home=tmp_path)

    assert ran.code == 0
    assert "DnsEvents" in ran.out
    assert ran.err == "wrote 4 rows of 1 table in 1 file to converted\n"

    before, after = (
        foxhunt("hunt", name, "--indicators", feed, "--format", "csv", home=tmp_path)
        for name in (str(logs), "converted")
    )
    assert (after.code, after.out) == (before.code, before.out)
    assert before.code == 1


def test_what_was_read_is_told_as_json(tmp_path: Path, logs: Path) -> None:
    log = logs / "dns.csv"
    log.write_text(log.read_text() + "no time,DC1,10.0.0.5,a.example,A\n")

    ran = foxhunt("convert", str(logs), "--out", "new", "--format", "json", home=tmp_path)

    assert ran.code == 0
    (file,) = json.loads(ran.out)["files"]
    assert (file["rows"], file["rows_refused"]) == (4, 1)


def test_a_file_that_cannot_be_read_is_exit_code_3_beside_the_folder(
    tmp_path: Path, feed: str, logs: Path
) -> None:
    (logs / "odd.bin").write_bytes(b"\x00\x01\x02 no log")

    ran = foxhunt("convert", str(logs), "--out", "converted", home=tmp_path)

    assert ran.code == 3
    assert "odd.bin" in ran.out
    hunted = foxhunt("hunt", "converted", "--indicators", feed, home=tmp_path)
    assert hunted.code == 3
    assert "NOT-CONVERTED.txt" in hunted.out
    assert "texornacu[.]com" in hunted.out


def test_logs_that_are_none_are_exit_code_3_and_no_folder(tmp_path: Path) -> None:
    (tmp_path / "odd.bin").write_bytes(b"\x00\x01\x02 no log")

    ran = foxhunt("convert", "odd.bin", "--out", "converted", home=tmp_path)

    assert ran.code == 3
    assert "nothing to write" in ran.err
    assert not (tmp_path / "converted").exists()


def test_a_folder_in_use_is_wrong_usage(tmp_path: Path, logs: Path) -> None:
    ran = foxhunt("convert", str(logs), "--out", str(logs), home=tmp_path)

    assert ran.code == 2
    assert "not an empty folder" in ran.err
    assert ran.out == ""
