"""`foxhunt exclusions` as a user runs it."""

from __future__ import annotations

import json
from pathlib import Path

from .running import foxhunt

LAB = """exclusions:
  - id: lab
    scenario: test-environment
    reason: The laboratory
    owner: soc@example.com
    expires: 2999-01-01
    scope: {families: ["*"], types: ["*"], tables: ["*"]}
    when: {any: [{source_ip: 10.0.0.0/24}, {host: lab-1}]}
"""
CARELESS = LAB.replace("{any: [{source_ip: 10.0.0.0/24}, {host: lab-1}]}", "{process: cmd.exe}")


def test_init_writes_templates_and_keeps_what_is_there(tmp_path: Path) -> None:
    first = foxhunt("exclusions", "init", home=tmp_path)
    mine = tmp_path / "exclusions" / "log-collection.yaml"
    mine.write_text(LAB)
    again = foxhunt("exclusions", "init", home=tmp_path)

    assert (first.code, again.code) == (0, 0)
    assert first.err.count("wrote ") == 5
    assert mine.read_text() == LAB
    assert again.err.count("kept ") == 5


def test_check_fails_on_a_careless_exclusion(tmp_path: Path) -> None:
    (tmp_path / "good.yaml").write_text(LAB)
    (tmp_path / "bad.yaml").write_text(CARELESS)

    good = foxhunt("exclusions", "check", "good.yaml", home=tmp_path)
    bad = foxhunt("exclusions", "check", "bad.yaml", home=tmp_path)

    assert (good.code, bad.code) == (0, 2)
    assert "bad.yaml:2:5: X101 error: lab: hides everything that cmd.exe does" in bad.out
    assert "1 exclusions, 0 errors" in good.out


def test_check_names_covered_indicators(tmp_path: Path, feed: str) -> None:
    text = LAB.replace("{host: lab-1}", "{domain: texornacu.com}")
    (tmp_path / "x.yaml").write_text(text)

    ran = foxhunt("exclusions", "check", "x.yaml", "--indicators", feed, home=tmp_path)

    assert ran.code == 0
    assert "covers indicators: texornacu[.]com (Unknown RAT)" in ran.out


def test_check_names_what_covered_nothing_in_the_hunts_there_were(
    tmp_path: Path, feed: str, logs: Path
) -> None:
    text = LAB.replace("{host: lab-1}", "{host: lab-2}") + LAB.replace("exclusions:\n", "")
    text = text.replace("id: lab", "id: unused", 1)
    (tmp_path / "x.yaml").write_text(text.replace("10.0.0.0/24", "10.77.0.0/24", 1))
    hunt = ("hunt", str(logs), "--indicators", feed, "--exclusions", "x.yaml")

    before = foxhunt("exclusions", "check", "x.yaml", home=tmp_path)
    foxhunt(*hunt, "--no-history", home=tmp_path)
    unremembered = foxhunt("exclusions", "check", "x.yaml", home=tmp_path)
    foxhunt(*hunt, home=tmp_path)
    after = foxhunt("exclusions", "check", "x.yaml", home=tmp_path)

    assert before.out == unremembered.out
    assert after.code == 0
    (line,) = (
        set(after.out.splitlines())
        - set(before.out.splitlines()[:-1])
        - {after.out.splitlines()[-1]}
    )
    assert line.startswith("x.yaml:2:5: X112 warning: unused: covered nothing in 1 hunt since 20")


def test_list_shows_them(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text(LAB)

    ran = foxhunt("exclusions", "list", "x.yaml", "--format", "json", home=tmp_path)

    (one,) = json.loads(ran.out)
    assert (one["id"], one["expires"], one["conditions"]) == (
        "lab",
        "2999-01-01",
        "host, source_ip",
    )


def test_a_hunt_marks_what_is_excluded_and_explain_says_why(
    tmp_path: Path, feed: str, logs: Path
) -> None:
    (tmp_path / "x.yaml").write_text(LAB)
    arguments = ("hunt", str(logs), "--indicators", feed, "--format", "json")

    open_ = foxhunt(*arguments, home=tmp_path)
    closed = foxhunt(*arguments, "--exclusions", "x.yaml", "--out", "hunt.json", home=tmp_path)

    assert (open_.code, closed.code) == (1, 0)
    (finding,) = json.loads((tmp_path / "hunt.json").read_text())["findings"]
    assert (finding["verdict"], finding["suppressed_by"]) == ("suppressed", ["lab"])
    explained = foxhunt(
        "exclusions", "explain", finding["id"], "--report", "hunt.json", "--exclusions", "x.yaml",
        home=tmp_path,
    )  # fmt: skip
    assert explained.code == 0
    assert "  lab: yes, until 2999-01-01" in explained.out
    assert "yes: source_ip is one of 10.0.0.0/24? 10.0.0.5" in explained.out
    assert "no: host is one of lab-1? 10.0.0.5" in explained.out


def test_explain_reads_a_row_from_standard_input(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text(LAB)
    row = json.dumps({"Name": "a.org", "TimeGenerated": "2026-06-01T10:00:00Z"})

    ran = foxhunt(
        "exclusions", "explain", "-", "--table", "DnsEvents", "--exclusions", "x.yaml",
        home=tmp_path, stdin=row,
    )  # fmt: skip

    assert "unknown: source_ip is one of 10.0.0.0/24? the row does not tell" in ran.out


def test_a_broken_file_never_starts_a_hunt(tmp_path: Path, feed: str, logs: Path) -> None:
    (tmp_path / "x.yaml").write_text(LAB.replace("owner", "owners"))

    ran = foxhunt("hunt", str(logs), "--indicators", feed, "--exclusions", "x.yaml", home=tmp_path)

    assert (ran.code, ran.out) == (2, "")
    assert (
        "x.yaml:2:5: H204: an exclusion needs owner\nx.yaml:5:5: unknown field 'owners'" in ran.err
    )


def test_a_rule_carries_its_exclusions(tmp_path: Path, feed: str) -> None:
    (tmp_path / "x.yaml").write_text(LAB)

    ran = foxhunt(
        "rule", "Unknown RAT", "--format", "kql", "--exclusions", "x.yaml", "--indicators", feed,
        home=tmp_path,
    )  # fmt: skip

    assert ran.code == 0
    assert "// Exclusion lab (test-environment; soc@example.com; until 2999-01-01)" in ran.out
    assert '| where SuppressedBy == ""' in ran.out
