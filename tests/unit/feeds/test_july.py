"""Seven real exports of July 2026, served and synced a day apart, against a plain script."""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pytest_httpserver import HTTPServer

from foxhunt.feeds.endpoints import Endpoints
from foxhunt.feeds.network import NetworkSync
from foxhunt.feeds.plan import Way
from foxhunt.feeds.transport import Transport

from .http_play import HASTE

_WINDOW = timedelta(hours=47)
# No field of an indicator: who sent it is not kept.
_NOT_KEPT = ("anonymous",)


@dataclass(slots=True)
class Script:
    """What a person would write in ten lines to count the same."""

    known: dict[str, dict[str, str | None]] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    retracted: int = 0

    def take(self, export: dict[str, list[dict[str, str | None]]], refused: set[str]) -> None:
        """Count one export, without the ids that are ``refused``."""
        records = {
            key: {name: value for name, value in one.items() if name not in _NOT_KEPT}
            for key, (one,) in export.items()
            if key not in refused
        }
        newest = max(map(activity, records.values()))
        absent = [self.known[key] for key in self.known.keys() - export.keys()]
        self.retracted = sum(newest - _WINDOW <= activity(one) <= newest for one in absent)
        self.counts = dict.fromkeys(("new", "re_seen", "changed", "unchanged"), 0)
        for key, one in records.items():
            self.counts[self._word(key, one)] += 1
        self.known |= records

    def _word(self, key: str, one: dict[str, str | None]) -> str:
        before = self.known.get(key)
        if before is None:
            return "new"
        if before == one:
            return "unchanged"
        rest = {"last_seen_utc": None}
        return "re_seen" if before | rest == one | rest else "changed"


def activity(record: dict[str, str | None]) -> datetime:
    """The later of both dates."""
    texts = (record["first_seen_utc"], record["last_seen_utc"])
    return max(datetime.fromisoformat(f"{text}+00:00") for text in texts if text)


def made(path: Path) -> datetime:
    """When the export was fetched, by its name."""
    return datetime.strptime(path.name.split("_")[1], "%Y%m%dT%H%MZ").replace(tzinfo=UTC)


def test_each_sync_counts_what_a_plain_script_counts(
    shared_data: Path, tmp_path: Path, httpserver: HTTPServer
) -> None:
    paths = sorted((shared_data / "threatfox" / "recent").iterdir())
    assert len(paths) == 7
    endpoints = Endpoints(exports=httpserver.url_for("/"))
    network = NetworkSync(tmp_path, Transport(None, HASTE), endpoints)
    script, words = Script(), ("new", "re_seen", "changed", "unchanged")

    for path in paths:
        httpserver.clear()
        plan = network.planned(made(path))
        way = "full" if path == paths[0] else "recent"
        assert plan.ways == (Way(way),)
        httpserver.expect_request(f"/json/{way}/").respond_with_data(
            path.read_bytes(), headers={"Content-Encoding": "gzip"}
        )
        report = network.run(plan, began=made(path))

        script.take(
            json.loads(gzip.decompress(path.read_bytes())),
            {record.source_id for record in report.quarantined},
        )
        assert {word: report.counts[word] for word in words} == script.counts, path.name
        assert report.departures is not None
        assert report.departures.retracted == script.retracted
        assert (report.alarms, report.total) == ((), len(script.known))
        assert len(report.quarantined) <= 3

    assert script.retracted == 1, "the last of them misses one that its dates say it should have"
