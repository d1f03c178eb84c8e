"""All that does not happen by chance in the three weeks of the invented company.

`background.py` surrounds these events, `records.py` and `sensors.py` say what each log saw
of them. Malicious addresses lie in 192.88.99.0/24, which RFC 7526 took out of use: public
addresses that belong to nobody. Times are UTC.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from company import (
    CHOCO,
    CHOCO_COMMAND,
    CHROME,
    EDGE,
    EXPLORER,
    HOSTS,
    IIS,
    OUTLOOK,
    PAYSLIP,
    POWERSHELL,
    PSEXEC,
    PYTHON,
    REGSVCS,
    SCHTASKS,
    SPLUNK_INPUT,
    SPLUNKD,
    SVCHOST,
    TASK_SCHEDULER,
    WINSYNC,
    WINSYNC_ON_SERVER,
    WMI,
    Host,
)

LURE = "https://drive.google.com/uc?export=download&id=1FoxhuntExample0Invoice"
PACKAGE = "https://chocomirror-eu.net/api/v2/package/fieldtool/3.2.1"


def digest(kind: str, text: str) -> str:
    """An invented but stable hash of the ``kind`` hashlib names, in lower case."""
    return hashlib.new(kind, f"foxhunt example: {text}".encode()).hexdigest()


# --- when ---


def at(*times: str) -> tuple[datetime, ...]:
    """Times in June 2026, each as ``day hour:minute:second``."""
    return tuple(datetime.fromisoformat(f"2026-06-{time}+00:00") for time in times)


def beacon(start: str, end: str, *, seconds: int, jitter: int) -> tuple[datetime, ...]:
    """Times from ``start`` to before ``end``, ``seconds`` apart give or take ``jitter``."""
    rng, times = Random(f"beacon {start}"), []
    (time,), (last,) = at(start), at(end)
    while time < last:
        times.append(time)
        time += timedelta(seconds=seconds, milliseconds=rng.randint(-1000 * jitter, 1000 * jitter))
    return tuple(times)


def nightly(clock: str, first: int, last: int) -> tuple[datetime, ...]:
    """A time in each night from day ``first`` to ``last``, within five minutes of ``clock``."""
    rng = Random(f"nightly {clock}")
    starts = at(*(f"{day:02} {clock}:00" for day in range(first, last + 1)))
    return tuple(start + timedelta(seconds=rng.randint(0, 300)) for start in starts)


def shortly_before(times: Sequence[datetime]) -> tuple[datetime, ...]:
    """Twenty seconds earlier: when the process starts that will connect."""
    return tuple(time - timedelta(seconds=20) for time in times)


# --- who met what ---


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """A machine asks for a name, connects, or both.

    Attributes:
        time: When it asks; it connects a moment later.
        host: Who.
        name: What it asks for, as it spells it; empty for a bare address.
        address: Where the name is, or the address itself.
        port: Where it connects to.
        url: The whole URL, which the firewall sees on port 80 only and Defender always.
        process: Path of the process.
        command: Its command line.
        action: Of the firewall, ``allow`` or ``deny``.
        seen_by: Which of ``dns``, ``firewall`` and ``edr`` recorded it.
    """

    time: datetime
    host: Host
    name: str
    address: str
    port: int
    url: str
    process: str
    command: str
    action: str
    seen_by: frozenset[str]

    @property
    def server_name(self) -> str:
        """The name as TLS and HTTP carry it."""
        return self.name.lower().rstrip(".")


def met(
    hosts: str,
    times: Sequence[datetime],
    names: str,
    address: str,
    *,
    port: int = 443,
    url: str = "",
    process: str = CHROME,
    command: str = "",
    action: str = "allow",
    seen_by: str = "dns firewall edr",
    edr_every: int = 1,
) -> list[Contact]:
    """Contacts of each of ``hosts`` at each of ``times``; the rest as in `Contact`.

    Args:
        hosts: Names of machines, space-separated.
        times: When.
        names: Spellings of what is asked for, space-separated, taken in turn.
        address: Where it is.
        port: As there.
        url: As there.
        process: As there.
        command: As there; empty for the path alone.
        action: As there.
        seen_by: Space-separated.
        edr_every: Defender reports only each n-th of a row of like connections.
    """
    asked = names.split() or [""]
    return [
        Contact(
            time=time,
            host=HOSTS[host],
            name=asked[turn % len(asked)],
            address=address,
            port=port,
            url=url,
            process=process,
            command=command or process,
            action=action,
            seen_by=frozenset(seen_by.split())
            - ({"edr"} if turn % edr_every else set())
            - (set() if names else {"dns"}),
        )
        for host in hosts.split()
        for turn, time in enumerate(times)
    ]


RAT_BEACONS = beacon("09 12:00:00", "15 12:00:00", seconds=600, jitter=60)
RAT_NIGHTS = nightly("02:30", 10, 21)
MAINTENANCE = nightly("03:00", 1, 21)
ROLL_OUT_1 = at("04 19:00:10", "04 19:04:40", "04 19:09:15")
ROLL_OUT_2 = at("18 19:00:05", "18 19:05:30", "18 19:10:20")
UPDATES = at("08 09:00:30")
COLLECTION = beacon("01 00:15:00", "22 00:00:00", seconds=21600, jitter=300)
LAB_RUN = at("17 10:00:05", "17 10:00:25", "17 10:00:45", "17 10:01:05")

_RAT_SPELLINGS = "texornacu.com " * 47 + "TexorNacu.COM texornacu.com. TEXORNACU.COM."
_LAB_NAMES = "texornacu.com cdn.winupdateservice.com velmarquo.com brintolask-files.com"
_GATE = "http://brintolask-files.com/gate"

# What the indicators are about; README.md tells it, expected.json counts it.
HITS = (
    # Unknown RAT, after a fake browser update.
    met("WS-014", at("09 11:47:02"), "TÜVATROX-update.com", "192.88.99.21", seen_by="dns"),
    met("WS-014", at("09 11:47:31"), "xn--tvatrox-update-gsb.com", "192.88.99.21"),
    met("WS-014", RAT_BEACONS, _RAT_SPELLINGS, "192.88.99.20", process=WINSYNC, edr_every=6),
    met("SRV-FILE-02", RAT_NIGHTS, "CDN.winupdateservice.com cdn.winupdateservice.com.",
        "192.88.99.22", process=WINSYNC_ON_SERVER),
    # Addresses: the listed port, another port, blocked, in a DNS answer.
    met("WS-007", beacon("11 13:00:00", "11 17:30:00", seconds=1800, jitter=120), "",
        "192.88.99.41", process=REGSVCS, edr_every=3),
    met("WS-011", at("05 10:12:20", "05 10:42:50", "05 11:13:10", "05 11:43:40"), "",
        "192.88.99.52", seen_by="firewall"),
    met("WS-019", beacon("16 15:20:00", "16 15:25:00", seconds=60, jitter=5), "",
        "192.88.99.73", port=4444, process=POWERSHELL, action="deny"),
    met("WS-022", at("10 09:31:00", "17 09:30:12"), "parked-lot-77.org", "192.88.99.88",
        seen_by="dns"),
    met("SRV-APP-01", at("16 13:05:07"), "status.parked-lot-77.org", "192.88.99.88",
        process=IIS, seen_by="dns"),
    # URLs: itself, further down its path, and no more than its host.
    met("WS-016", at("10 10:20:15"), "brintolask-files.com", "192.88.99.30", port=80, url=_GATE),
    met("SRV-APP-01", at("16 14:41:33"), "brintolask-files.com", "192.88.99.30", port=80,
        url=f"{_GATE}?build=7&os=srv", process=IIS),
    met("WS-021", at("11 14:02:11", "12 08:45:50"), "ovrethium-media.net", "192.88.99.31"),
    # Domains: spelled with capitals in the feed, and listed in 2021.
    met("WS-012", at("12 09:14:22", "12 16:30:41"), "velmarquo.com", "192.88.99.32"),
    met("WS-025", at("03 11:00:09", "10 11:04:33", "17 11:01:58"), "karvolin-stats.com",
        "192.88.99.33", seen_by="dns"),
    # The five scenarios, benign in this company.
    met("SRV-MGMT-01", MAINTENANCE, "pkgmirror-sync.net", "192.88.99.34", process=SVCHOST,
        command=TASK_SCHEDULER),
    met("JUMP-01", ROLL_OUT_1, "deploykit-share.net", "192.88.99.35", process=PSEXEC),
    met("JUMP-02", ROLL_OUT_2, "deploykit-share.net", "192.88.99.35", process=PSEXEC),
    met("WS-003 WS-004 WS-005 WS-006", UPDATES, "chocomirror-eu.net", "192.88.99.36", url=PACKAGE,
        process=CHOCO, command=CHOCO_COMMAND),
    met("SRV-LOG-01", COLLECTION, "", "192.88.99.101", port=9997, process=SPLUNKD),
    met("LAB-01 LAB-02", LAB_RUN, _LAB_NAMES, "10.99.0.1", process=PYTHON, seen_by="dns edr"),
)  # fmt: skip

# What a careless rule takes for a hit, and must not be one.
LOOKALIKES = (
    met("WS-002 WS-021", at("03 09:12:00", "11 16:20:31"), "texornacu.com.evil.example",
        "198.51.100.5"),
    met("WS-008", at("04 10:00:02", "12 10:05:40"), "not-texornacu.com", "198.51.100.6"),
    met("WS-013 WS-029", at("09 13:45:10"), "xtexornacu.com", "198.51.100.7"),
    met("WS-001", at("10 08:30:00", "18 08:31:15"), "texornacu.community", "198.51.100.8"),
    met("WS-010 SRV-APP-01", at("16 11:11:11"), "winupdateservice.com.cdn-cache.example",
        "198.51.100.9"),
    met("WS-012 WS-026", at("12 12:12:12"), "mywinupdateservice.com", "198.51.100.10"),
    met("WS-005", at("15 15:15:15"), "texornacu.com-login.example", "198.51.100.11"),
    met("WS-028", at("16 09:09:09"), "search.brightwater.example", "10.10.1.50", port=80,
        url="http://search.brightwater.example/?q=texornacu.com"),
    met("WS-018", at("10 10:40:00"), "", "192.88.99.141"),
    met("WS-023", at("05 20:11:00", "13 20:15:00"), "homecam-77.duckdns.org", "198.51.100.12"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Scan:
    """A connection from outside to a server, as the firewall logs it."""

    time: datetime
    source: str
    host: Host
    port: int
    action: str


_SCANNED = beacon("13 04:00:00", "13 04:20:00", seconds=30, jitter=10)
# The listed 192.88.99.67 knocks everywhere; the web server's open port lets it in.
SCANS = tuple(
    Scan(time, "192.88.99.67", HOSTS[name], port, "allow" if port == 443 else "deny")
    for name, ports in (("SRV-WEB-01", (22, 23, 443, 3389, 8080)), ("SRV-MAIL-01", (22, 3389)))
    for turn, time in enumerate(_SCANNED)
    for port in (ports[turn % len(ports)],)
)


@dataclass(frozen=True, slots=True)
class Process:
    """A process starts."""

    time: datetime
    host: Host
    image: str
    command: str
    parent: str

    @property
    def file_name(self) -> str:
        """Of its image, without the folder; hashes are made from it."""
        return self.image.rpartition("\\")[2]


def started(
    hosts: str, times: Sequence[datetime], image: str, arguments: str, parent: str
) -> list[Process]:
    """Starts of ``image`` on each of ``hosts`` (space-separated) at each of ``times``."""
    name = image.rpartition("\\")[2]
    return [
        Process(time, HOSTS[host], image, f"{name} {arguments}".strip(), parent)
        for host in hosts.split()
        for time in times
    ]


PROCESSES = (
    started("WS-014", at("09 11:52:10"), WINSYNC, "/silent", CHROME),
    started("SRV-FILE-02", at("10 02:14:37"), WINSYNC_ON_SERVER, "/silent", WMI),
    started("WS-027", at("12 08:03:44"), PAYSLIP, "", EXPLORER),
    started("SRV-MGMT-01", shortly_before(MAINTENANCE), SCHTASKS,
            '/run /tn "\\IT\\Nightly package sync"', SVCHOST),
    started("JUMP-01", shortly_before(ROLL_OUT_1), PSEXEC,
            "\\\\WS-001,WS-002,WS-003 -s powershell.exe -File C:\\Deploy\\agent.ps1", POWERSHELL),
    started("JUMP-02", shortly_before(ROLL_OUT_2), PSEXEC,
            "\\\\WS-004,WS-005,WS-006 -s powershell.exe -File C:\\Deploy\\agent.ps1", POWERSHELL),
    started("WS-003 WS-004 WS-005 WS-006", shortly_before(UPDATES), CHOCO,
            CHOCO_COMMAND.partition(" ")[2], POWERSHELL),
    started("SRV-LOG-01", shortly_before(COLLECTION), SPLUNK_INPUT, "", SPLUNKD),
    started("LAB-01 LAB-02", shortly_before(LAB_RUN[:1]), PYTHON, "detonate.py --all", POWERSHELL),
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class FileEvent:
    """A file is made, with what Defender knows of its hashes (upper case) and origin."""

    time: datetime
    host: Host
    folder: str
    name: str
    process: str
    sha256: str = ""
    sha1: str = ""
    md5: str = ""
    origin: str = ""


def _upper(kind: str, text: str) -> str:
    return digest(kind, text).upper()


FILES = (
    *(
        FileEvent(time=time, host=HOSTS["WS-014"], folder=folder, name="winsync.exe",
                  process=CHROME, sha256=_upper("sha256", "winsync.exe"), origin=origin)
        for time, folder, origin in zip(
            at("09 11:48:00", "09 11:52:12"),
            ("C:\\Users\\l.ortega\\Downloads", WINSYNC.rpartition("\\")[0]),
            ("https://xn--tvatrox-update-gsb.com/dl/winsync.exe", ""),
            strict=True,
        )
    ),
    *(
        FileEvent(time=time, host=HOSTS["SRV-FILE-02"], folder="D:\\Shares\\Finance",
                  name=f"Budget_{n}.docm", process="System", sha1=_upper("sha1", "macro.docm"))
        for n, time in enumerate(at("08 14:10:00", "08 14:10:03", "15 09:20:41"), start=1)
    ),
    FileEvent(time=at("12 08:03:20")[0], host=HOSTS["WS-027"], folder="C:\\Users\\a.fischer",
              name="payslip.scr", process=OUTLOOK, md5=_upper("md5", "payslip.scr")),
    FileEvent(time=at("11 09:40:18")[0], host=HOSTS["WS-009"],
              folder="C:\\Users\\i.petrov\\Downloads", name="Invoice_0611.zip", process=EDGE,
              sha256=_upper("sha256", "Invoice_0611.zip"), origin=LURE),
    *(
        FileEvent(time=UPDATES[0] + timedelta(seconds=9), host=HOSTS[name],
                  folder="C:\\ProgramData\\chocolatey\\cache", name="fieldtool.3.2.1.nupkg",
                  process=CHOCO, sha256=_upper("sha256", "fieldtool.3.2.1.nupkg"), origin=PACKAGE)
        for name in ("WS-003", "WS-004", "WS-005", "WS-006")
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Click:
    """A click on a link in a mail."""

    time: datetime
    host: Host
    url: str
    action: str


CLICKS = tuple(
    Click(at(time)[0], HOSTS[name], url, action)
    for time, name, action, url in (
        ("10 10:20:12", "WS-016", "ClickAllowed", "HTTP://Brintolask-Files.com:80/gate#top"),
        ("10 10:31:47", "WS-017", "ClickBlocked", "https://brintolask-files.com/gate/inv-2291?u=8"),
        ("10 10:39:58", "WS-018", "ClickAllowed", "http://brintolask-files.com/gateway"),
        (
            "11 09:38:02",
            "WS-020",
            "ClickAllowed",
            "https://drive.google.com/file/d/1Team0Plan/view",
        ),
        ("16 09:09:01", "WS-028", "ClickAllowed", "https://news.example/?u=http://texornacu.com/"),
    )
)
