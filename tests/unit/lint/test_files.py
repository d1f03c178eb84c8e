"""Many files by several processes: the same findings, in the same order."""

from __future__ import annotations

from pathlib import Path

import pytest

from foxhunt.lint import files, lint_paths


def test_several_processes_say_what_one_says_in_its_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FOXHUNT_KUSTO", str(tmp_path / "none"))
    for name in ("b", "a"):
        (tmp_path / name).mkdir()
        for number in range(3):
            (tmp_path / name / f"{number}.kql").write_text(
                f'DnsEvents | where Name has "{name}.eu"'
            )
        (tmp_path / name / "rule.yaml").write_bytes(b"\xff")
        (tmp_path / name / "none.json").write_text("{}")
    alone = lint_paths([str(tmp_path)])
    monkeypatch.setattr(files, "_WORTH_A_PROCESS_BYTES", 0)
    monkeypatch.setattr(files, "_BATCH_BYTES", 80)
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    told: list[tuple[int, int]] = []
    together = lint_paths(
        [str(tmp_path)], tell=lambda what, done, total: told.append((done, total))
    )

    assert together == alone
    assert {issue.code for issue in together.issues} >= {"L100", "L121"}
    assert told[-1] == (10, 10)
