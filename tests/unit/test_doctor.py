"""The doctor: what it says of a healthy home, and of each thing that is broken."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from pytest_httpserver import HTTPServer

from foxhunt.doctor import diagnose, render_json, render_text, worst
from foxhunt.exclusions.kept_fplist import fplist_path
from foxhunt.feeds.diagnosis import Check, Level
from foxhunt.feeds.ledger import Alarm, AlarmKind, Ledger, Origin, SyncEntry, SyncOutcome
from foxhunt.indicators import Indicator, IndicatorSet, IndicatorStore, IndicatorType
from foxhunt.reports import load_schema
from foxhunt.state import State

NOW = datetime(2026, 7, 14, 12, tzinfo=UTC)
KEY = "kQ7zKEYtestKEYtest0001"
WITH_KEY = {"FOXHUNT_THREATFOX_KEY": KEY}
NOBODY = "http://127.0.0.1:9/"
TYPES = {"1": {"ioc_type": "domain", "fk_threat_type": "botnet_cc", "description": ""}}


@pytest.fixture(autouse=True)
def _without_microsofts_parser(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOXHUNT_KUSTO", "/nowhere")  # V8 takes a second to load


def environ(server: HTTPServer | None, more: dict[str, str] | None = None) -> dict[str, str]:
    base = server.url_for("/") if server else NOBODY
    names = ("THREATFOX_API", "THREATFOX_EXPORTS", "THREATFOX_FILES", "ABUSECH_HUNTING")
    return {**{f"FOXHUNT_{name}": base for name in names}, **(more or {})}


def fill(home: Path, *, last_seen: datetime = NOW) -> None:
    found = Indicator(
        type=IndicatorType.DOMAIN,
        value="evil.org",
        source="threatfox",
        source_id="1",
        threat_type="botnet_cc",
        malware="win.fox",
        malware_printable="Fox",
        confidence_level=100,
        first_seen=NOW - timedelta(days=9),
        last_seen=last_seen,
    )
    IndicatorStore(home).merge(IndicatorSet.of([found]))


def write_down(
    home: Path,
    outcome: SyncOutcome,
    error: str | None = None,
    *alarms: Alarm,
    feed: str = "threatfox",
) -> None:
    entry = SyncEntry(
        feed=feed,
        snapshot="s" if outcome is SyncOutcome.TAKEN else None,
        origin=Origin.NETWORK,
        outcome=outcome,
        began=NOW,
        ended=NOW,
        error=error,
        alarms=alarms,
    )
    Ledger(State(home)).add(entry)


def named(checks: tuple[Check, ...], name: str) -> Check:
    (found,) = (check for check in checks if check.name == name)
    return found


def offline(home: Path, more: dict[str, str] | None = None) -> tuple[Check, ...]:
    return diagnose(home, environ(None, more), NOW, is_offline=True)


def test_where_all_is_well_nothing_is_to_do(tmp_path: Path, httpserver: HTTPServer) -> None:
    fill(tmp_path)
    write_down(tmp_path, SyncOutcome.TAKEN)
    fplist_path(tmp_path).parent.mkdir()
    fplist_path(tmp_path).write_text("{}")
    httpserver.expect_request("/", method="HEAD").respond_with_data("", status=404)
    answer = {"query_status": "ok", "data": TYPES}
    httpserver.expect_request("/", method="POST", headers={"Auth-Key": KEY}).respond_with_json(
        answer
    )

    checks = diagnose(tmp_path, environ(httpserver, WITH_KEY), NOW)

    assert [check.name for check in checks if check.level is not Level.OK] == []
    assert named(checks, "key").message == "accepted; 1 pairs of types"
    assert named(checks, "store").message.startswith("1 indicators, 0 quarantined, 1 snapshots")
    assert "2026-07-14 12:00 UTC" in named(checks, "sync").message
    assert worst(checks) is Level.OK
    heads = [request for request, _ in httpserver.log if request.method == "HEAD"]
    assert len(heads) == 1, "one server that is named four times is asked once"
    assert "Auth-Key" not in heads[0].headers
    assert KEY not in render_json(checks) + render_text(checks)


def test_an_empty_home_is_no_failure_and_stays_empty(tmp_path: Path) -> None:
    checks = offline(tmp_path / "not" / "there")

    assert named(checks, "store").level is Level.WARN
    assert "foxhunt sync" in (named(checks, "store").hint or "")
    assert named(checks, "state").level is Level.OK
    assert worst(checks) is Level.WARN
    assert not list(tmp_path.iterdir())


def test_what_was_not_looked_at_is_not_ok(tmp_path: Path) -> None:
    checks = offline(tmp_path, WITH_KEY)

    assert named(checks, "network").level is Level.SKIPPED
    assert named(checks, "key").level is Level.SKIPPED


def test_a_refused_key_and_a_silent_network_fail(tmp_path: Path, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/").respond_with_json(
        {"query_status": "unknown_auth_key"}, status=403
    )
    refused = diagnose(tmp_path, environ(httpserver, WITH_KEY), NOW)
    silent = diagnose(tmp_path, environ(None), NOW)

    assert named(refused, "key").level is Level.FAIL
    assert "H311" in named(refused, "key").message
    assert named(refused, "network").level is Level.OK, "it answers; that is what was asked"
    assert named(silent, "network").level is Level.FAIL
    assert named(silent, "key").level is Level.OK, "none is needed"
    assert worst(silent) is Level.FAIL


def test_a_server_in_trouble_is_a_warning(tmp_path: Path, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/").respond_with_data("", status=503)

    assert named(diagnose(tmp_path, environ(httpserver), NOW), "network").level is Level.WARN


@pytest.mark.parametrize(
    ("variable", "value"),
    [("FOXHUNT_THREATFOX_KEY", "no key"), ("FOXHUNT_THREATFOX_API", "ftp://x/")],
)
def test_wrong_settings_fail_and_the_rest_is_looked_at(
    tmp_path: Path, variable: str, value: str
) -> None:
    checks = offline(tmp_path, {variable: value})

    assert named(checks, "settings").level is Level.FAIL
    assert named(checks, "store").level is Level.WARN


def test_a_key_near_its_end_is_a_warning(tmp_path: Path) -> None:
    more = {"FOXHUNT_THREATFOX_KEY": KEY, "FOXHUNT_THREATFOX_KEY_EXPIRES": "2026-07-20"}

    levels = {check.level for check in offline(tmp_path, more) if check.name == "key"}

    assert levels == {Level.WARN, Level.SKIPPED}


def test_a_key_past_its_end_fails_since_no_sync_goes_on_with_it(tmp_path: Path) -> None:
    more = {"FOXHUNT_THREATFOX_KEY": KEY, "FOXHUNT_THREATFOX_KEY_EXPIRES": "2026-07-14"}

    expired, _ = (check for check in offline(tmp_path, more) if check.name == "key")

    assert (expired.level, expired.message) == (Level.FAIL, "the key has expired on 2026-07-14")
    assert "FOXHUNT_THREATFOX_KEY_EXPIRES" in (expired.hint or "")


def test_old_data_are_a_warning(tmp_path: Path) -> None:
    fill(tmp_path, last_seen=NOW - timedelta(hours=25))

    check = named(offline(tmp_path), "store")

    assert check.level is Level.WARN
    assert "2026-07-13 11:00" in check.message


def test_a_damaged_snapshot_fails_with_the_way_out(tmp_path: Path) -> None:
    fill(tmp_path)
    (path,) = (tmp_path / "indicators").glob("*.parquet")
    path.write_bytes(path.read_bytes()[:-9] + b"nonsense!")

    check = named(offline(tmp_path), "store")

    assert check.level is Level.FAIL
    assert "move" in (check.hint or "")


def test_a_damaged_memory_fails_with_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "state.db").write_bytes(b"not a database " * 500)

    check = named(offline(tmp_path), "state")

    assert check.level is Level.FAIL
    assert "move it away" in (check.hint or "")


@pytest.mark.parametrize(
    ("outcome", "ended", "hint"),
    [
        (SyncOutcome.REFUSED, "was refused", "--accept"),
        (SyncOutcome.FAILED, "failed", "foxhunt sync"),
    ],
)
def test_a_last_sync_that_took_nothing_is_a_warning_with_its_reason(
    tmp_path: Path, outcome: SyncOutcome, ended: str, hint: str
) -> None:
    write_down(tmp_path, SyncOutcome.TAKEN)
    write_down(tmp_path, outcome, "H315: the number of records fell to 4")

    check = named(offline(tmp_path), "sync")

    assert check.level is Level.WARN
    assert (
        f"threatfox: last good sync over the network 2026-07-14 12:00 UTC; the last {ended} ("
        in (check.message)
    )
    assert "fell to 4" in check.message
    assert hint in (check.hint or "")


def test_each_feed_is_looked_at_by_itself(tmp_path: Path) -> None:
    write_down(tmp_path, SyncOutcome.FAILED, "H310: no connection")
    write_down(tmp_path, SyncOutcome.TAKEN, feed="urlhaus")

    first, second = (check for check in offline(tmp_path) if check.name == "sync")

    assert (first.level, "threatfox: no good one yet" in first.message) == (Level.WARN, True)
    assert (second.level, second.message.startswith("urlhaus: last good")) == (Level.OK, True)


def test_alarms_of_the_last_sync_are_told(tmp_path: Path) -> None:
    write_down(tmp_path, SyncOutcome.TAKEN, None, Alarm(AlarmKind.STALE, "old", is_doubt=False))

    assert "stale: old" in named(offline(tmp_path), "sync").message


def test_a_list_of_false_positives_that_was_not_fetched_is_a_warning(tmp_path: Path) -> None:
    assert named(offline(tmp_path, WITH_KEY), "fplist").level is Level.WARN


def test_both_forms_say_the_same_and_steer_no_terminal() -> None:
    checks = (
        Check(name="disk", level=Level.OK, message="much"),
        Check(name="sync", level=Level.WARN, message="\x1b[2J\nfail: all", hint="\u202edo"),
    )

    text, document = render_text(checks), json.loads(render_json(checks))

    assert text == ("ok      disk: much\nwarn    sync: \\x1b[2J\\nfail: all\n          \\u202edo\n")
    Draft202012Validator(load_schema("doctor-1")).validate(document)
    assert (document["schema"], document["worst"]) == ("foxhunt.doctor/1", "warn")
    assert document["checks"][1] == {
        **{"name": "sync", "level": "warn", "message": "\x1b[2J\nfail: all", "hint": "\u202edo"},
    }
