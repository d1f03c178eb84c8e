"""`foxhunt lint` as a person runs it: output and exit codes."""

from __future__ import annotations

import json
from pathlib import Path

from .running import foxhunt

WRONG = 'DnsEvents\n| where TimeGenerated > ago(1d)\n| where Name has "evil.com"\n'


def test_errors_are_exit_code_1_and_say_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "hunt.kql").write_text(WRONG)
    ran = foxhunt("lint", "hunt.kql", home=tmp_path)

    assert ran.code == 1
    assert "hunt.kql:3:9: L121 error: Name has also finds not-evil.com" in ran.out
    assert "1 files, 1 queries: 1 errors, 0 warnings, 0 not judged" in ran.out


def test_clean_content_is_exit_code_0(tmp_path: Path) -> None:
    (tmp_path / "hunt.kql").write_text(WRONG.replace("has", "=~"))
    ran = foxhunt("lint", "hunt.kql", home=tmp_path)

    assert ran.code == 0


def test_what_nobody_could_judge_is_exit_code_3(tmp_path: Path) -> None:
    (tmp_path / "rule.yaml").write_bytes(b"\xff")
    ran = foxhunt("lint", ".", home=tmp_path)

    assert ran.code == 3
    assert "L100 not judged: is no UTF-8 text" in ran.out


def test_wrong_usage_is_exit_code_2(tmp_path: Path) -> None:
    assert foxhunt("lint", "missing/", home=tmp_path).code == 2


def test_json_is_one_object(tmp_path: Path) -> None:
    (tmp_path / "hunt.kql").write_text(WRONG)
    value = json.loads(foxhunt("lint", "hunt.kql", "--format", "json", home=tmp_path).out)

    assert value["schema"] == "foxhunt.lint/1"
    assert [(one["code"], one["line"], one["column"]) for one in value["issues"]] == [
        ("L121", 3, 9)
    ]
    assert value["skipped"] == []


def test_files_without_content_are_counted(tmp_path: Path) -> None:
    (tmp_path / "hunt.kql").write_text(WRONG.replace("has", "=~"))
    (tmp_path / "package.json").write_text("{}")
    ran = foxhunt("lint", ".", home=tmp_path)

    assert ran.code == 0
    assert ran.out.rstrip().endswith("; 1 files without content")


def test_hostile_text_in_a_message_is_shown_and_not_obeyed(tmp_path: Path) -> None:
    (tmp_path / "hunt.kql").write_text("DnsEvents | where \x1b[31m\u202e == 1\n", "utf-8")
    ran = foxhunt("lint", "hunt.kql", home=tmp_path)

    assert ran.code in (1, 3)
    assert "\x1b" not in ran.out
    assert "\u202e" not in ran.out
