"""Look-ups, snapshots and bundles as a user types them."""

from __future__ import annotations

import csv
import io
import json
import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import typer
from jsonschema import Draft202012Validator
from pytest_httpserver import HTTPServer
from typer.testing import CliRunner, Result

from foxhunt.cli.bundle_command import bundle_app
from foxhunt.cli.indicators_command import families_command, indicators_command
from foxhunt.cli.show_command import show_command
from foxhunt.cli.snapshots_command import snapshots_app
from foxhunt.errors import (
    AnswerError,
    BundleError,
    FeedKeyError,
    NoIndicatorsError,
    UsageError,
)
from foxhunt.indicators import IndicatorSet, IndicatorStore
from foxhunt.reports import load_schema
from tests import golden_files

from ..indicators.indicator_samples import FIRST, indicator, seen
from ..indicators.lookup_samples import HASH, every_kind

APP = typer.Typer()
APP.command("indicators")(indicators_command)
APP.command("families")(families_command)
APP.command("show")(show_command)
APP.add_typer(snapshots_app, name="snapshots")
APP.add_typer(bundle_app, name="bundle")


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> IndicatorStore:
    monkeypatch.setenv("FOXHUNT_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("FOXHUNT_THREATFOX_KEY", raising=False)
    monkeypatch.chdir(tmp_path)
    return IndicatorStore(tmp_path / "home")


@pytest.fixture(scope="module")
def merged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home whose store holds every kind of indicator; it is copied, not used."""
    home = tmp_path_factory.mktemp("merged")
    IndicatorStore(home).merge(every_kind())
    return home


@pytest.fixture
def full(store: IndicatorStore, merged: Path) -> IndicatorStore:
    shutil.copytree(merged, store.folder.parent)
    return store


def run(*arguments: str) -> Result:
    return CliRunner().invoke(APP, arguments)


def data(schema: str, *arguments: str) -> Any:  # Any: JSON
    """What a command writes as JSON, which has to be what its schema says."""
    ran = run(*arguments, "--format", "json")
    assert ran.exit_code == 0, ran.exception
    found = json.loads(ran.stdout)
    Draft202012Validator(load_schema(schema)).validate(found)
    return found


def fails(error: type[Exception], *arguments: str) -> str:
    """The message of the error that a command ends with."""
    ran = run(*arguments)
    assert isinstance(ran.exception, error), ran.output
    return str(ran.exception)


def values(*arguments: str) -> list[str]:
    ran = run("indicators", *arguments, "--format", "csv")
    assert ran.exit_code == 0, ran.exception
    return [row["value"] for row in csv.DictReader(io.StringIO(ran.stdout))]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["EVIL[.]org"], ["evil.org"]),
        (["45.137.22.7"], ["45.137.22.7:443", "45.137.22.7:8080"]),
        (["--type", "md5_hash"], [HASH, HASH]),
        (["--family", "reynard", "--type", "domain"], ["c2.evil.org"]),
        (["--family", "Cub"], ["me.duckdns.org"]),
        (["--family", "red-FOX", "--type", "domain"], ["c2.evil.org"]),
        (["--tag", "Rat"], ["evil.org", "https://c2.evil.org:8443/gate"]),
        (["--tag", "rat", "--tag", "c2", "--type", "domain"], ["evil.org"]),
        (["--reporter", "ABUSE_ch"], ["evil.org"]),
        (["--source", "feodotracker"], ["45.137.22.7:443"]),
        (["--min-confidence", "80"], []),
        (["--until", "2026-01-01"], ["45.137.22.7:8080"]),
        (["--active-since", "2026-06-01"], ["c2.evil.org"]),
        (["--active-since", "2026-06-24"], []),
        (["--under", "c2[.]evil.org", "--type", "domain"], ["a.c2.evil.org", "c2.evil.org"]),
        (["--under", "hxxp://45.137.22.7/", "--type", "url"], ["http://45.137.22.7/a"]),
        (["--limit", "2"], ["a.c2.evil.org", "c2.evil.org"]),
    ],
)
def test_each_filter_leaves_what_it_says(
    full: IndicatorStore, arguments: list[str], expected: list[str]
) -> None:
    if not expected:
        fails(NoIndicatorsError, "indicators", *arguments)
        return
    assert sorted(values(*arguments)) == sorted(expected)


def test_the_limit_is_told_where_no_program_reads_it(full: IndicatorStore) -> None:
    ran = run("indicators", "--limit", "2", "--format", "ndjson")

    assert len(ran.stdout.splitlines()) == 2
    assert ran.stderr == "2 of 16 indicators, as --limit asks\n"


def test_reporter_and_tags_are_listed(full: IndicatorStore) -> None:
    (row,) = json.loads(run("indicators", "evil.org", "--format", "json").stdout)

    assert (row["reporter"], row["tags"]) == ("abuse_ch", ["C2", "rat"])
    assert "C2, rat" in run("indicators", "evil.org").stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--type", "domains"], "H100: no indicator type 'domains'"),
        (["--family", "Red Foxx"], "did you mean 'Red Fox'"),
        (["--under", "rat"], "'rat' names no domain and no address"),
        (["--active-since", "lately"], "--active-since 'lately' is no day or time"),
    ],
)
def test_a_filter_that_means_nothing_is_refused(
    full: IndicatorStore, arguments: list[str], message: str
) -> None:
    assert message in fails(UsageError, "indicators", *arguments)


def test_a_value_in_quarantine_is_not_just_unknown(full: IndicatorStore) -> None:
    message = fails(NoIndicatorsError, "indicators", "10.0.0.1:80")

    assert "H203: none of 16 indicators" in message
    assert "in quarantine: `foxhunt show` tells why" in message


def test_a_table_of_many_is_the_first_of_them_and_all_are_counted(store: IndicatorStore) -> None:
    store.merge(IndicatorSet.of(indicator(str(n)) for n in range(1_001)))

    table = run("indicators").stdout

    assert table.endswith("(1,001 rows, 1,000 shown; the other formats have them all)\n")
    assert len(values()) == 1_001


def test_families_in_words_and_as_data(full: IndicatorStore) -> None:
    golden_files.check("lookups/families.txt", run("families").stdout)
    golden_files.check("lookups/families.json", run("families", "--format", "json").stdout)
    assert len(data("families-1", "families")) == 3


def test_rows_as_data_are_what_their_schemas_say(full: IndicatorStore) -> None:
    assert len(data("indicators-1", "indicators")) == 16
    assert len(data("quarantined-1", "indicators", "--quarantined")) == 2


def test_families_are_found_by_a_part_of_any_name(full: IndicatorStore) -> None:
    for part in ("reyn", "RED", "win.red", "redfox", "Red-Fo"):
        (family,) = json.loads(run("families", part, "--format", "json").stdout)
        assert family["malware"] == "win.red_fox"
    assert "none of 3 families is called like 'wolf'" in fails(
        NoIndicatorsError, "families", "wolf"
    )


def test_a_spelling_of_several_families_is_refused_with_their_labels(store: IndicatorStore) -> None:
    one = indicator("1", malware="win.red_fox", malware_printable="Red Fox")
    two = indicator("2", malware="elf.redfox", malware_printable="RedFox", value="b.evil.org")
    store.merge(IndicatorSet.of([one, two]))

    said = fails(UsageError, "indicators", "--family", "red-fox")
    assert "'red-fox' may be 2 families" in said
    assert "Red Fox (win.red_fox), RedFox (elf.redfox)" in said
    assert values("--family", "red fox") == ["c1.evil.org"]


def test_show_tells_from_the_store(full: IndicatorStore) -> None:
    ran = run("show", "c2[.]evil.org", "--limit", "1")

    assert ran.exit_code == 0
    name = full.resolve("current").name
    assert ran.stdout.startswith(f"c2[.]evil[.]org is 1 of 16 indicators of snapshot {name}\n")
    assert "3 more: raise --limit" in ran.stdout


def test_show_looks_into_files_too(store: IndicatorStore, feed: str) -> None:
    told = json.loads(run("show", "texornacu.com", "--indicators", feed, "--format", "json").stdout)

    assert told["store"]["snapshot"] is None
    assert [one["value"] for one in told["store"]["found"]] == ["texornacu.com"]


def test_show_of_what_nobody_knows_is_an_answer(full: IndicatorStore) -> None:
    ran = run("show", "nowhere.net", "--format", "json")

    assert ran.exit_code == 0
    store = json.loads(ran.stdout)["store"]
    assert (store["indicators"], store["found"], store["related_total"]) == (16, [], 0)


def test_show_without_a_store_says_what_to_do(store: IndicatorStore) -> None:
    assert "H203: no indicators were synced yet" in fails(NoIndicatorsError, "show", "evil.org")


@pytest.fixture
def threatfox(
    full: IndicatorStore, httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> HTTPServer:
    monkeypatch.setenv("FOXHUNT_THREATFOX_KEY", "kQ7zKEYtestKEYtest0001")
    monkeypatch.setenv("FOXHUNT_THREATFOX_API", httpserver.url_for("/api/"))
    return httpserver


def record(ioc_id: str, value: str) -> dict[str, object]:
    return {
        **{"id": ioc_id, "ioc": value, "ioc_type": "domain", "threat_type": "botnet_cc"},
        **{"malware": "win.fox", "malware_printable": "Fox", "malware_alias": None},
        **{"confidence_level": 100, "first_seen": "2026-05-24 06:12:33 UTC", "last_seen": None},
        **{"reference": None, "reporter": "x", "tags": None, "is_compromised": False},
    }


def test_show_online_tells_what_came_from_where(threatfox: HTTPServer) -> None:
    data = [record("2", "c2.evil.org"), record("99", "c2.evil.org"), record("98", "x.evil.org")]
    threatfox.expect_request("/api/").respond_with_json({"query_status": "ok", "data": data})

    told = json.loads(run("show", "c2.evil.org", "--online", "--format", "json").stdout)

    assert [one["source_id"] for one in told["store"]["found"]] == ["2"]
    assert [one["source_id"] for one in told["online"]["found"]] == ["2", "99"]
    assert told["online"]["others"] == 1
    assert told["c2"] is None


def test_show_c2_goes_from_a_sample_to_its_servers(threatfox: HTTPServer) -> None:
    query = {"query": "search_hash", "hash": HASH}
    threatfox.expect_request("/api/", json=query).respond_with_json(
        {"query_status": "ok", "data": [record("99", "c2.evil.org")]}
    )

    assert "talks to 1 indicator\n" in run("show", HASH, "--c2").stdout
    assert "--c2 wants a sample's hash" in fails(UsageError, "show", "evil.org", "--c2")


def test_what_could_not_be_asked_does_not_hide_what_the_store_has(threatfox: HTTPServer) -> None:
    threatfox.expect_request("/api/").respond_with_data("<html>", status=404)

    ran = run("show", "c2.evil.org", "--online")

    assert "c2[.]evil[.]org is 1 of 16 indicators" in ran.stdout
    assert "whether it has c2[.]evil[.]org is not known" in ran.stdout
    assert isinstance(ran.exception, AnswerError)


def test_asking_without_a_key_tells_the_store_and_then_the_key(full: IndicatorStore) -> None:
    ran = run("show", "evil.org", "--online")

    assert "evil[.]org is 1 of 16 indicators" in ran.stdout
    assert isinstance(ran.exception, FeedKeyError)


@pytest.fixture
def three(store: IndicatorStore) -> list[str]:
    """Names of three snapshots, oldest first."""
    sets = [
        [indicator("1"), indicator("2", value="old.evil.org")],
        [seen("1", 2), indicator("2", value="old.evil.org", confidence_level=50, tags=("rat",))],
        [indicator("3", value="new.evil.org", first_seen=FIRST + timedelta(days=9))],
    ]
    return [store.merge(IndicatorSet.of(one)).snapshot for one in sets]


def test_snapshots_are_listed(three: list[str]) -> None:
    rows = data("snapshots-1", "snapshots", "list")

    assert [row["name"] for row in rows] == three[::-1]
    assert [row["is_current"] for row in rows] == [True, False, False]


def test_a_diff_tells_each_change_with_its_values(three: list[str]) -> None:
    ran = run("snapshots", "diff", three[0][:23], "current")

    golden_files.check("lookups/diff.txt", ran.stdout)
    assert ran.stderr.endswith("1 new, 0 gone, 1 changed, 1 re-seen, 0 unchanged\n")


def test_a_diff_as_data_has_both_values(three: list[str]) -> None:
    name = three[0].rpartition("-")[2]

    changed, re_seen = data("changes-1", "snapshots", "diff", name, "previous")

    assert changed["fields"] == {"confidence_level": [75, 50], "tags": [[], ["rat"]]}
    assert re_seen["fields"] == {"last_seen": [None, "2026-05-26T12:00:00Z"]}


def test_a_diff_is_between_the_last_two_if_not_said(three: list[str]) -> None:
    rows = data("changes-1", "snapshots", "diff")

    assert [(row["change"], row["value"]) for row in rows] == [("new", "new.evil.org")]


def test_a_diff_is_narrowed(three: list[str]) -> None:
    arguments = ("snapshots", "diff", three[2], three[0])

    assert len(data("changes-1", *arguments)) == 3
    assert len(data("changes-1", *arguments, "--only", "gone")) == 1
    assert data("changes-1", *arguments, "--limit", "0") == []
    assert "--only 'old' is no change" in fails(UsageError, *arguments, "--only", "old")


def test_going_back_and_pruning(store: IndicatorStore, three: list[str]) -> None:
    ran = run("snapshots", "rollback", "previous")
    assert ran.stderr == f"current is {three[1]}; before it was {three[2]}\n"
    assert len(store.load()) == 2

    pruned = run("snapshots", "prune", "--keep", "1")
    assert pruned.stderr.startswith(f"deleted {three[0]}\n1 snapshot deleted")
    assert [one.name for one in store.snapshots()] == [three[2], three[1]]


def test_a_bundle_carries_the_store_to_another_machine(
    full: IndicatorStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    exported = run("bundle", "export", "fox.bundle")
    digest, _, name = exported.stdout.strip().partition("  ")
    assert name == "fox.bundle"
    assert "threatfox.abuse.ch/faq/#tos" in exported.stderr

    monkeypatch.setenv("FOXHUNT_HOME", str(tmp_path / "other"))
    other = IndicatorStore(tmp_path / "other")
    other.merge(IndicatorSet.of([indicator("77")]))
    ran = run("bundle", "import", "fox.bundle", "--sha256", digest)

    assert "16 new, 0 re-seen, 0 changed, 0 unchanged" in ran.stderr
    assert len(other.load()) == 17
    assert len(other.load().quarantined) == 2

    ran = run("bundle", "import", "fox.bundle", "--replace")
    assert "with these alone" in ran.stderr
    assert other.load().table.equals(full.load().table)
    run("snapshots", "rollback", "previous")
    assert len(other.load()) == 17


def test_an_older_snapshot_is_exported_by_its_name(store: IndicatorStore, three: list[str]) -> None:
    assert run("bundle", "export", "a.bundle", "--snapshot", "previous").exit_code == 0
    assert run("bundle", "import", "a.bundle", "--replace").exit_code == 0

    assert len(store.load()) == 2


def test_a_refused_bundle_leaves_the_store_as_it_was(full: IndicatorStore) -> None:
    run("bundle", "export", "fox.bundle")
    whole = bytearray(Path("fox.bundle").read_bytes())
    whole[len(whole) // 2] ^= 1
    Path("fox.bundle").write_bytes(whole)

    assert "fox.bundle: H325: " in fails(BundleError, "bundle", "import", "fox.bundle", "--replace")
    assert len(full.snapshots()) == 1


def test_nothing_is_not_exported(store: IndicatorStore) -> None:
    assert "H203" in fails(NoIndicatorsError, "bundle", "export", "fox.bundle")
    assert not Path("fox.bundle").exists()
