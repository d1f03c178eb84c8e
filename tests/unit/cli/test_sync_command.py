"""`foxhunt sync` over the network as a user runs it, on loopback."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

import pytest
import typer
from pytest_httpserver import HTTPServer
from typer.testing import CliRunner

from foxhunt.cli.selecting import false_positives
from foxhunt.cli.sync_command import sync_command
from foxhunt.errors import UsageError
from foxhunt.exclusions.kept_fplist import fplist_path
from foxhunt.indicators import IndicatorStore

from .conftest import record
from .running import foxhunt

KEY = "kQ7zKEYtestKEYtest0001"
Records = dict[str, list[dict[str, object]]]


def records(count: int, **changes: object) -> Records:
    """An export of now in which every column is filled."""
    an_hour_ago = f"{datetime.now(UTC) - timedelta(hours=1):%Y-%m-%d %H:%M:%S}"
    fields = {"last_seen_utc": an_hour_ago, "reference": "x", "malware_alias": "Fox", **changes}
    return {
        str(number): [record(number, f"n{number}.evil.org", "domain", **fields)]
        for number in range(1, count + 1)
    }


def variables(server: HTTPServer, **more: str) -> dict[str, str]:
    return {
        "FOXHUNT_THREATFOX_EXPORTS": server.url_for("/export/"),
        "FOXHUNT_THREATFOX_FILES": server.url_for("/files/"),
        "FOXHUNT_ABUSECH_HUNTING": server.url_for("/hunting/"),
        "FOXHUNT_THREATFOX_API": server.url_for("/api/"),
        **more,
    }


def test_what_is_doubted_ends_with_3_and_says_what_to_do(
    tmp_path: Path, httpserver: HTTPServer
) -> None:
    httpserver.expect_request("/export/json/full/").respond_with_json(records(120, severity="x"))

    refused = foxhunt("sync", home=tmp_path, variables=variables(httpserver))

    assert (refused.code, refused.out) == (3, "")
    said = "H315: ThreatFox export full: columns that foxhunt does not know: severity"
    assert said in refused.err
    assert "--accept" in refused.err
    assert not (tmp_path / "store" / "indicators").exists()


def test_a_feed_that_stands_still_or_a_key_that_ended_leaves_the_store_as_it_was(
    tmp_path: Path, httpserver: HTTPServer
) -> None:
    old = records(120, last_seen_utc="2026-05-30 00:00:00")
    httpserver.expect_request("/export/json/full/").respond_with_json(old)
    ended = {"FOXHUNT_THREATFOX_KEY": KEY, "FOXHUNT_THREATFOX_KEY_EXPIRES": "2026-01-31"}

    stale = foxhunt("sync", home=tmp_path, variables=variables(httpserver))
    expired = foxhunt("sync", home=tmp_path, variables=variables(httpserver, **ended))

    assert (stale.code, expired.code, stale.out + expired.out) == (3, 2, "")
    assert "H315: ThreatFox export full: the newest indicator is of 2026-05-30" in stale.err
    assert "H311: the key has expired on 2026-01-31 (make a new one" in expired.err
    assert "--accept" in stale.err and "--accept" in expired.err
    assert not (tmp_path / "store" / "indicators").exists()


def test_with_a_key_the_false_positives_come_too_and_a_hunt_uses_them(
    tmp_path: Path, httpserver: HTTPServer, logs: Path
) -> None:
    domain = record(1, "texornacu.com", "domain")
    httpserver.expect_request(f"/files/{KEY}/full.csv.zip").respond_with_data("", status=404)
    httpserver.expect_request("/export/json/full/").respond_with_json({"1": [domain]})
    false_positive = {"9": {"entry_type": "domain", "entry_value": "texornacu.com"}}
    httpserver.expect_request("/hunting/").respond_with_json(false_positive)

    synced = foxhunt(
        "sync",
        "--accept",
        home=tmp_path,
        variables=variables(httpserver, FOXHUNT_THREATFOX_KEY=KEY),
    )
    from_store = foxhunt("hunt", str(logs), "--format", "json", home=tmp_path)

    assert synced.code == 0, synced.err
    assert "abuse.ch's false positives: 1 kept" in synced.err
    assert "instead of ThreatFox export full-keyed" in synced.out
    assert "taken in spite of: stale:" in synced.out
    assert KEY not in synced.out + synced.err
    assert from_store.code == 0, from_store.err
    verdicts = {finding["verdict"] for finding in json.loads(from_store.out)["findings"]}
    assert verdicts == {"suppressed"}


def test_a_refused_key_that_only_a_part_needed_is_told_everywhere(
    tmp_path: Path, httpserver: HTTPServer
) -> None:
    """The recent export needs none, the list of false positives does."""
    httpserver.expect_request("/export/json/full/").respond_with_json(records(3))
    httpserver.expect_request("/export/json/recent/").respond_with_json(records(4))
    refused = {"query_status": "unknown_auth_key"}
    httpserver.expect_request("/hunting/").respond_with_json(refused, status=403)
    with_key = variables(httpserver, FOXHUNT_THREATFOX_KEY=KEY)
    foxhunt("sync", home=tmp_path, variables=variables(httpserver))

    ran = foxhunt("sync", "--format", "json", home=tmp_path, variables=with_key)
    accepted = foxhunt("sync", "--accept", home=tmp_path, variables=with_key)

    assert (ran.code, accepted.code) == (3, 0)
    report = json.loads(ran.out)
    assert report["store"]["total"] == 4, "what needs no key is merged"
    said = "abuse.ch's false positives were not fetched, none is kept: "
    (alarm,) = report["alarms"]
    assert (alarm["kind"], alarm["accepted"]) == ("key-refused", False)
    assert alarm["message"].startswith(said)
    assert f"H311: {said}" in ran.err and "--accept" in ran.err
    assert f"taken in spite of: key-refused: {said}" in accepted.out
    assert KEY not in ran.out + ran.err + accepted.out + accepted.err


def test_only_a_hunt_from_the_store_uses_the_kept_list(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FOXHUNT_HOME", str(tmp_path))
    assert false_positives(None, is_store_used=True) is None, "none was fetched yet"
    named, kept = tmp_path / "named.json", fplist_path(tmp_path)
    kept.parent.mkdir()
    kept.write_text(json.dumps({"1": {"entry_value": "kept.org"}}))
    named.write_text(json.dumps({"1": {"entry_value": "named.org"}}))

    def values(files: list[Path] | None, *, is_store_used: bool) -> list[str]:
        found = false_positives(files, is_store_used=is_store_used)
        return [entry.value for entry in found.entries] if found else []

    assert values(None, is_store_used=True) == ["kept.org"]
    assert values([named], is_store_used=True) == ["named.org"]
    assert values(None, is_store_used=False) == []


@pytest.mark.parametrize(
    "options",
    [
        ("--watch", "often"),
        ("--watch", "15m", "--file", "recent.json"),
        ("--accept", "--file", "recent.json"),
    ],
)
def test_options_that_make_no_sense_are_wrong_usage(options: tuple[str, ...]) -> None:
    app = typer.Typer()
    app.command()(sync_command)

    ran = CliRunner().invoke(app, options)

    assert isinstance(ran.exception, UsageError), ran.exception
    assert ran.stdout == ""


@contextmanager
def watching(home: Path, server: HTTPServer, *feeds: str) -> Iterator[subprocess.Popen[str]]:
    """`foxhunt sync --watch 1s`, ended at the latest when the block is."""
    environment = {
        **{"PATH": os.environ["PATH"], "FOXHUNT_HOME": str(home), "HOME": str(home)},
        **variables(server, FOXHUNT_URLHAUS_URL=server.url_for("/urlhaus.csv")),
    }
    options = [option for feed in feeds for option in ("--feed", feed)]
    command = [sys.executable, "-c", "from foxhunt.cli import main; main()"]
    with subprocess.Popen(
        [*command, "sync", "--watch", "1s", "--accept", "--format", "json", *options],
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def test_watching_goes_on_after_a_fault_and_stops_cleanly(
    tmp_path: Path, httpserver: HTTPServer
) -> None:
    """The feed that always fails is the first one, and the other keeps its interval."""
    full, recent = "/export/json/full/", "/export/json/recent/"
    httpserver.expect_request("/urlhaus.csv").respond_with_data("", status=404)
    httpserver.expect_oneshot_request(full).respond_with_data("", status=404)
    httpserver.expect_oneshot_request(full).respond_with_json(records(3))
    httpserver.expect_oneshot_request(recent).respond_with_json(records(4))
    # Only the first sync, which fails, accepts what comes.
    httpserver.expect_oneshot_request(recent).respond_with_json(records(120, severity="x"))

    with watching(tmp_path, httpserver, "urlhaus", "threatfox") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        first, second = (json.loads(process.stdout.readline()) for _ in range(2))
        err = ""
        for line in islice(process.stderr, 100):
            err += line
            if "H315" in line:
                break
        process.send_signal(signal.SIGTERM)
        err += process.communicate(timeout=60)[1]

    assert process.returncode == 0, err
    assert (first["counts"]["new"], second["counts"]["new"]) == (3, 1)
    assert "urlhaus: H313: urlhaus file: localhost answered 404" in err
    assert "2 in a row, next try in 0:00:02" in err
    of_threatfox = [
        line for line in err.splitlines() if "in a row" in line and "urlhaus" not in line
    ]
    assert ["1 in a row, next try in 0:00:01" in line for line in of_threatfox] == [True, True]
    assert "H315" in of_threatfox[1]
    assert "stopped after 2 syncs; the store is whole" in err
    assert "Traceback" not in err
    assert len(IndicatorStore(tmp_path).load()) == 4
