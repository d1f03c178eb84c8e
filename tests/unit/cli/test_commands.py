"""The other commands as a user runs them."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer

from .running import foxhunt


def test_sync_then_hunt_from_the_store(tmp_path: Path, feed: str, logs: Path) -> None:
    first = foxhunt("sync", "--file", feed, home=tmp_path)
    again = foxhunt("sync", "--file", feed, home=tmp_path)
    hunted = foxhunt("hunt", str(logs), home=tmp_path)

    assert (first.code, again.code, hunted.code) == (0, 0, 1), (first, again, hunted)
    assert "3" in first.out
    assert "H102" in first.out
    assert first.out != again.out


def test_sync_without_a_file_fetches(tmp_path: Path, feed: str, httpserver: HTTPServer) -> None:
    data = Path(feed).read_bytes()
    httpserver.expect_request("/json/full/").respond_with_data(data)
    variables = {"FOXHUNT_THREATFOX_EXPORTS": httpserver.url_for("/")}

    ran = foxhunt("sync", "--accept", home=tmp_path, variables=variables)

    assert ran.code == 0, ran.err
    assert "3" in ran.out
    listed = foxhunt("indicators", "--format", "json", home=tmp_path)
    assert len(json.loads(listed.out)) == 3


def test_a_feed_that_cannot_be_reached_is_incomplete(tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    key = "kQ7zKEYtestKEYtest0001"
    ran = foxhunt("sync", home=tmp_path, variables={"FOXHUNT_THREATFOX_KEY": "not a key"})
    assert ran.code == 2

    ran = foxhunt("sync", home=tmp_path, variables={"FOXHUNT_THREATFOX_KEY": key})
    assert ran.code == 3
    assert "H310" in ran.err
    assert key not in ran.err + ran.out


def test_a_broken_feed_is_incomplete_and_changes_nothing(tmp_path: Path, feed: str) -> None:
    foxhunt("sync", "--file", feed, home=tmp_path)
    broken = tmp_path / "broken.json"
    broken.write_text('{"1": [')

    ran = foxhunt("sync", "--file", str(broken), home=tmp_path)

    assert ran.code == 3
    assert "broken.json" in ran.err
    listed = foxhunt("indicators", "--format", "json", home=tmp_path)
    assert len(json.loads(listed.out)) == 3


def test_indicators_are_found_by_value_defanged_or_not(tmp_path: Path, feed: str) -> None:
    for value in ("texornacu[.]com", "TEXORNACU.com"):
        ran = foxhunt("indicators", value, "--indicators", feed, "--format", "csv", home=tmp_path)
        rows = list(csv.DictReader(io.StringIO(ran.out)))
        assert [row["value"] for row in rows] == ["texornacu.com"]

    table = foxhunt("indicators", "--type", "domain", "--indicators", feed, home=tmp_path)
    assert "texornacu[.]com" in table.out
    assert "45[.]137" not in table.out


def test_quarantined_records_are_listed_with_reasons(tmp_path: Path, feed: str) -> None:
    ran = foxhunt(
        "indicators", "--quarantined", "--indicators", feed, "--format", "json", home=tmp_path
    )

    (record,) = json.loads(ran.out)
    assert record["value"] == "10.0.0.7:443"
    assert "H102" in record["reason"]


@pytest.mark.parametrize(
    "arguments", [("--type", "domains"), ("nowhere.org",), ("--min-confidence", "101")]
)
def test_asking_for_indicators_that_are_not_there_is_exit_code_2(
    tmp_path: Path, feed: str, arguments: tuple[str, ...]
) -> None:
    assert foxhunt("indicators", *arguments, "--indicators", feed, home=tmp_path).code == 2


def test_families_are_counted(tmp_path: Path, feed: str) -> None:
    ran = foxhunt("families", "--indicators", feed, "--format", "json", home=tmp_path)

    assert [(f["malware"], f["indicators"]) for f in json.loads(ran.out)] == [
        ("win.asyncrat", 1),
        ("win.unknown_rat", 2),
    ]


def test_rule_prints_the_published_query(tmp_path: Path, feed: str) -> None:
    ran = foxhunt(
        "rule", "Unknown RAT", "--match", "term", "--format", "kql", "--indicators", feed,
        home=tmp_path,
    )  # fmt: skip

    golden = Path(__file__).parents[2] / "golden" / "kql" / "unknown_rat.term.kql"
    assert ran.code == 0
    assert ran.out == golden.read_text("utf-8")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--day", "2026-05-24"), 0),
        (("--day", "2026-05-25"), 2),
        (("--since", "2026-05-24", "--until", "2026-05-25"), 0),
        (("--since", "2026-05-25"), 2),
        (("--day", "2026-05-24", "--since", "2026-05-01"), 2),
        (("--day", "24.5.2026"), 2),
        (("--min-confidence", "100"), 0),
    ],
)
def test_rule_takes_days_and_confidence(
    tmp_path: Path, feed: str, arguments: tuple[str, ...], code: int
) -> None:
    ran = foxhunt("rule", "Unknown RAT", *arguments, "--indicators", feed, home=tmp_path)

    assert ran.code == code
    assert bool(ran.out) is (code == 0)


def test_what_abuse_ch_took_back_is_in_no_rule_and_revoked_in_stix(
    tmp_path: Path, feed: str
) -> None:
    entry = {"time_stamp": "2026-07-01 00:00:00", "entry_type": "domain"}
    listed = {"9": entry | {"entry_value": "texornacu.com"}}
    (tmp_path / "fplist.json").write_text(json.dumps(listed), encoding="utf-8")
    arguments = ("Unknown RAT", "--indicators", feed, "--fplist", "fplist.json")

    kql = foxhunt("rule", *arguments, "--format", "kql", home=tmp_path)
    stix = foxhunt("rule", *arguments, "--format", "stix", "--out", "stix", home=tmp_path)

    assert (kql.code, stix.code) == (0, 0), stix.err
    assert "left out, since abuse.ch took them back: 1" in kql.err
    assert "texornacu.com" not in kql.out
    bundle = json.loads((tmp_path / "stix" / "stix-bundle.json").read_text("utf-8"))
    revoked = [one["name"] for one in bundle["objects"] if one.get("revoked")]
    assert revoked == ["Unknown RAT domain: texornacu.com"]


def test_a_family_of_which_all_was_taken_back_is_revoked_in_stix(tmp_path: Path, feed: str) -> None:
    names = ("texornacu.com", "winupdateservice.com")
    listed = [{"entry_type": "domain", "entry_value": name} for name in names]
    (tmp_path / "fplist.json").write_text(json.dumps(listed), encoding="utf-8")
    arguments = ("--indicators", feed, "--fplist", "fplist.json")

    everything = foxhunt(
        *("rule", "--all", "--content", "stix,md", "--out", "rules"), *arguments, home=tmp_path
    )
    one = foxhunt(
        *("rule", "Unknown RAT", "--format", "stix", "--out", "one"), *arguments, home=tmp_path
    )
    page = foxhunt("rule", "Unknown RAT", *arguments, home=tmp_path)

    assert (everything.code, one.code, page.code) == (0, 0, 3), page.err
    assert "no indicator of Unknown RAT is left" in page.err
    assert "1 rules in rules" in everything.err
    (folder,) = (path.parent for path in tmp_path.glob("rules/*unknown*/stix-bundle.json"))
    assert not (folder / "rule.md").exists()
    for bundle in (folder / "stix-bundle.json", tmp_path / "one" / "stix-bundle.json"):
        objects = json.loads(bundle.read_text("utf-8"))["objects"]
        assert [item["revoked"] for item in objects] == [True, True]
    assert f"{folder.name}/rule.md" not in (tmp_path / "rules" / "index.md").read_text("utf-8")


def test_rule_all_writes_folders(tmp_path: Path, feed: str) -> None:
    ran = foxhunt("rule", "--all", "--out", "rules", "--indicators", feed, home=tmp_path)

    assert ran.code == 0
    assert "2 rules in rules: 9 files written" in ran.err
    assert (tmp_path / "rules" / "win.asyncrat" / "rule.kql").is_file()


@pytest.mark.parametrize("arguments", [(), ("Unknown RAT", "--all"), ("--all",)])
def test_rule_wants_one_family_or_all_with_a_folder(
    tmp_path: Path, feed: str, arguments: tuple[str, ...]
) -> None:
    assert foxhunt("rule", *arguments, "--indicators", feed, home=tmp_path).code == 2


def test_logs_tells_what_is_read_and_what_is_not(tmp_path: Path, logs: Path) -> None:
    good = foxhunt("logs", str(logs), home=tmp_path)
    (logs / "odd.bin").write_bytes(b"\x00\x01\x02 no log")
    bad = foxhunt("logs", str(logs), "--format", "json", home=tmp_path)

    assert (good.code, bad.code) == (0, 3)
    assert "DnsEvents" in good.out
    (one,) = json.loads(bad.out)["files"]
    assert (one["table"], one["rows"], one["rows_refused"]) == ("DnsEvents", 4, 0)
    assert "odd.bin" in json.loads(bad.out)["not_read"][0]["file"]


def test_query_prints_rows_from_an_argument_a_file_or_standard_input(
    tmp_path: Path, logs: Path
) -> None:
    text = "DnsEvents | where Name endswith 'evil.org' | project Name"
    (tmp_path / "hunt.kql").write_text(text)
    ways = (
        (text, str(logs)),
        ("--file", "hunt.kql", str(logs)),
        ("--file", "-", str(logs)),
    )
    for way in ways:
        ran = foxhunt("query", *way, "--format", "csv", home=tmp_path, stdin=text)
        assert (ran.code, ran.out) == (0, "Name\r\ntexornacu.com.evil.org\r\n")


def test_query_errors_say_line_and_column(tmp_path: Path, logs: Path) -> None:
    ran = foxhunt("query", "DnsEvents\n| whre x", str(logs), home=tmp_path)

    assert ran.code == 2
    assert ran.err.startswith("foxhunt: query:2:1: H502: not KQL")


def test_a_query_over_a_table_without_data_is_incomplete(tmp_path: Path, logs: Path) -> None:
    ran = foxhunt("query", "UrlClickEvents | count", str(logs), home=tmp_path)

    assert ran.code == 3
    assert "no file with rows of UrlClickEvents" in ran.err


def test_indicators_show_what_warning_lists_know(tmp_path: Path, feed: str) -> None:
    folder = tmp_path / "lists"
    folder.mkdir()
    known = {"name": "top sites", "type": "hostname", "list": ["texornacu.com", "no host!:"]}
    (folder / "top.json").write_text(json.dumps(known))

    ran = foxhunt(
        "indicators", "--type", "domain", "--warninglists", "lists", "--indicators", feed,
        "--format", "json", home=tmp_path,
    )  # fmt: skip

    assert {row["value"]: row["labels"] for row in json.loads(ran.out)} == {
        "texornacu.com": "top sites",
        "winupdateservice.com": None,
    }
    assert "1 entries of 1 warning lists can match nothing" in ran.err
