"""A process that syncs and says how far it came; killed by the tests, or run beside others.

    python -m tests.unit.feeds.sync_process HOME MODE FIRST LAST [DIES_AT]

MODE is ``files`` (a file is read and merged), ``merges`` (merged alone), a URL (the export
``STEP/json/.../`` below it is fetched and merged), or what its ids begin with. At its
DIES_AT-th use of the file system inside HOME the process kills itself.

Step ``k`` brings the same `FIXED` indicators, all last seen at minute ``k``, and one that is
new; so a store in which they were seen at different minutes is a torn one.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from foxhunt.feeds import sync_files
from foxhunt.feeds.endpoints import Endpoints
from foxhunt.feeds.network import NetworkSync
from foxhunt.feeds.transport import Transport
from foxhunt.indicators import Indicator, IndicatorSet, IndicatorStore, IndicatorType, Quarantined

# An export of the last two days has 4,000 to 5,300.
FIXED = 4_500
# Python docs, audit events table, 2026.
_USES = {"open", "os.rename", "os.remove", "os.mkdir", "os.scandir", "os.listdir"}
FIRST_SEEN = datetime(2026, 7, 1, tzinfo=UTC)


def seen_at(step: int) -> datetime:
    """When the indicators of ``step`` were last seen."""
    return FIRST_SEEN + timedelta(minutes=step)


def _names(step: int) -> list[str]:
    return [*(f"f{number}" for number in range(FIXED)), f"n{step}"]


def export_of(step: int) -> bytes:
    """A JSON export with one record that is quarantined."""
    records = {
        str(number): [
            {
                "ioc_value": f"{name}.evil.org",
                "ioc_type": "domain",
                "threat_type": "botnet_cc",
                "malware": "win.fox",
                "malware_printable": "Fox",
                "first_seen_utc": f"{FIRST_SEEN:%Y-%m-%d %H:%M:%S}",
                "last_seen_utc": f"{seen_at(step):%Y-%m-%d %H:%M:%S}",
                "confidence_level": 100,
                "tags": "a,b",
                "reporter": "somebody",
            }
        ]
        for number, name in enumerate(_names(step)[:-1], start=1)
    }
    records[str(1_000_000 + step)] = [records["1"][0] | {"ioc_value": f"n{step}.evil.org"}]
    records[str(2_000_000 + step)] = [records["1"][0] | {"ioc_value": f"q{step}.local"}]
    return json.dumps(records).encode()


def set_of(step: int, prefix: str = "") -> IndicatorSet:
    """The set of the same, without the work of reading it; ids begin with ``prefix``."""
    return IndicatorSet.of(
        (
            Indicator(
                type=IndicatorType.DOMAIN,
                value=f"{name}.evil.org",
                source="threatfox",
                source_id=f"{prefix}{name}",
                threat_type="botnet_cc",
                malware="win.fox",
                malware_printable="Fox",
                confidence_level=100,
                first_seen=FIRST_SEEN,
                last_seen=seen_at(step),
            )
            for name in _names(step)
        ),
        [Quarantined(f"{prefix}q{step}", f"q{step}.local", "domain", "H102: reserved name")],
    )


def _sync_files(store: IndicatorStore, step: int) -> None:
    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        file.write(export_of(step))
        file.flush()
        sync_files(store, [file.name])


def _sync_network(store: IndicatorStore, step: int, url: str) -> None:
    endpoints = Endpoints(exports=f"{url}{step}/")
    network = NetworkSync(store.folder.parent, Transport(), endpoints)
    began = seen_at(step)
    network.run(network.planned(began), began=began, accept=True)


def _run_of(name: str) -> Callable[[IndicatorStore, int], None]:
    if name == "files":
        return _sync_files
    if name.startswith("http"):
        return lambda store, step: _sync_network(store, step, name)
    prefix = "" if name == "merges" else name

    def merge(store: IndicatorStore, step: int) -> None:
        store.merge(set_of(step, prefix))

    return merge


def _die_at(count: int, home: str) -> None:
    """Let the process be killed right before it does something to a file or folder of ``home``."""
    used = 0

    def hook(event: str, args: tuple[object, ...]) -> None:
        nonlocal used
        if event in _USES and str(args[0]).startswith(home):
            used += 1
            if used == count:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)


def main() -> None:
    """Run the steps and print each one's number once it is done."""
    home, mode, first, last, *dies_at = sys.argv[1:]
    if dies_at:
        _die_at(int(dies_at[0]), home)
    store, run = IndicatorStore(Path(home)), _run_of(mode)
    print("ready", flush=True)
    for step in range(int(first), int(last) + 1):
        run(store, step)
        print(step, flush=True)


if __name__ == "__main__":
    main()
