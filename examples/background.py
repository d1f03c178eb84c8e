"""What happens by chance: the traffic, programs, files and clicks of people at work."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import accumulate
from random import Random

import company
from company import Host
from story import Click, Contact, FileEvent, Process, Scan

# Most asked first: how often a name is asked follows Zipf, as in real resolvers' logs. All are
# reserved (RFC 2606) but for shared services that a feed lists, and the updates of Windows.
_NAMES = (
    *(f"{name}.cloudoffice.example" for name in ("chat", "mail", "login", "files", "graph")),
    "drive.google.com",
    *(f"{name}.search.example" for name in ("www", "fonts", "clients", "maps", "video")),
    "download.windowsupdate.com",
    "settings-win.data.microsoft.com",
    *(f"{name}.brightwater.example" for name in ("intranet", "wpad", "mail", "wiki")),
    *(f"{name}.ca.example" for name in ("ocsp", "crl3")),
    *(f"www.{name}.example" for name in ("news", "weather", "parcels", "booking", "shop")),
    *(f"{name}.code.example" for name in ("git", "packages", "api", "docs")),
    "cdn.statics.example",
    "time.windows.com",
)
_ZIPF = tuple(accumulate(1 / rank for rank in range(1, len(_NAMES) + 1)))
_PLAIN_HTTP = ("ca.example", "windowsupdate.com")
_SYSTEM_NAMES = (*_PLAIN_HTTP, "microsoft.com", "windows.com", "wpad.brightwater.example")
# Documentation addresses (RFC 5737) stand for the rest of the world.
_NETWORKS = ("192.0.2", "198.51.100", "203.0.113")
# How much of a working day's activity falls into each hour, UTC.
_OFFICE = tuple(accumulate([0] * 6 + [1, 4, 9, 11, 10, 9, 6, 8, 10, 10, 8, 5, 2, 1, 1, 0, 0, 0]))
_ROUND_THE_CLOCK = tuple(accumulate([8, 8, 9, 9, 7, 5] + [4] * 16 + [6, 8]))
_PROGRAMS = (
    (company.CHROME, "--type=renderer", company.CHROME),
    (company.EDGE, "--no-startup-window", company.EXPLORER),
    (company.OUTLOOK, "", company.EXPLORER),
    (company.WINWORD, "/n", company.EXPLORER),
    (company.SVCHOST, "-k netsvcs -p -s wuauserv", "C:\\Windows\\System32\\services.exe"),
    (company.SCHTASKS, '/run /tn "\\Microsoft\\Windows\\Defrag\\ScheduledDefrag"', company.SVCHOST),
    (company.POWERSHELL, "-NoProfile -File C:\\IT\\inventory.ps1", company.SVCHOST),
)
_FILES = ("Offer.docx", "Timesheet.xlsx", "Minutes.docx", "Drawing.dwg", "Photo.jpg", "Plan.pdf")


def times_of_day(rng: Random, day: datetime, count: int, rhythm: tuple[int, ...]) -> list[datetime]:
    """``count`` times in ``day``, in order, spread over its hours by cumulated ``rhythm``."""
    hours = rng.choices(range(24), cum_weights=rhythm, k=count)
    return sorted(
        day + timedelta(hours=hour, milliseconds=rng.randrange(3_600_000)) for hour in hours
    )


def activity(label: str, busy: int, quiet: int) -> Iterator[tuple[Random, Host, datetime]]:
    """When each machine does something: workstations ``busy`` times a working day.

    Servers do as much on every day. At weekends few workstations are on, and do ``quiet``
    things. Each ``label`` has random numbers of its own, so that one log's background does
    not change with another's.
    """
    rng = Random(f"foxhunt example: {label}")
    for day in company.DAYS:
        is_weekend = day.weekday() >= 5
        for host in company.HOSTS.values():
            is_office = host in company.WORKSTATIONS
            count = busy
            if is_office and is_weekend:
                count = quiet if rng.random() < 0.1 else 0
            elif host in company.OTHERS:
                count = quiet
            rhythm = _OFFICE if is_office else _ROUND_THE_CLOCK
            for time in times_of_day(rng, day, rng.randint(count // 2, count), rhythm):
                yield rng, host, time


def address_of(name: str) -> str:
    """The address that a benign name always has."""
    rng = Random(name)
    if name.endswith(company.DOMAIN):
        return f"10.10.1.{rng.randint(100, 199)}"
    return f"{rng.choice(_NETWORKS)}.{rng.randint(20, 250)}"


def benign_contacts() -> Iterator[Contact]:
    """What machines ask for and connect to when nothing is wrong."""
    for rng, host, time in activity("contacts", busy=130, quiet=30):
        name = rng.choices(_NAMES, cum_weights=_ZIPF)[0]
        if rng.random() < 0.05:
            name = f"d{rng.randrange(16**10):010x}.statics.example"
        is_plain = name.endswith(_PLAIN_HTTP)
        is_system = host.user == "SYSTEM" or name.endswith(_SYSTEM_NAMES)
        process = company.SVCHOST if is_system else rng.choice((company.CHROME, company.EDGE))
        address = address_of(name)
        # Most answers are used by a connection that is open already, and what stays inside
        # does not pass the firewall; Defender samples.
        passes_border = rng.random() < 0.35 and not address.startswith("10.")
        logs = {"dns"} | ({"firewall"} if passes_border else set())
        yield Contact(
            time=time,
            host=host,
            name=name,
            address=address,
            port=80 if is_plain else 443,
            url=f"http://{name}/{rng.randrange(16**6):06x}" if is_plain else "",
            process=process,
            command=process,
            action="allow",
            seen_by=frozenset(logs | ({"edr"} if rng.random() < 0.12 else set())),
        )


def benign_scans() -> Iterator[Scan]:
    """Visitors of the web server, and the noise that knocks at every public address."""
    rng = Random("foxhunt example: scans")
    web, mail = company.HOSTS["SRV-WEB-01"], company.HOSTS["SRV-MAIL-01"]
    for day in company.DAYS:
        for time in times_of_day(rng, day, 120, _ROUND_THE_CLOCK):
            source = f"192.88.99.{rng.randint(200, 250)}"
            yield Scan(time, source, rng.choice((web, mail)), rng.choice((22, 23, 3389)), "deny")
        for time in times_of_day(rng, day, 150, _OFFICE):
            source = f"{rng.choice(_NETWORKS)}.{rng.randint(20, 250)}"
            yield Scan(time, source, web, 443, "allow")


def benign_processes() -> Iterator[Process]:
    """Programs that start on every machine."""
    for rng, host, time in activity("processes", busy=8, quiet=2):
        image, arguments, parent = rng.choice(_PROGRAMS)
        command = f"{image.rpartition(chr(92))[2]} {arguments}".strip()
        yield Process(time, host, image, command, parent)


def benign_files() -> Iterator[FileEvent]:
    """Documents that people save and load down."""
    for rng, host, time in activity("files", busy=4, quiet=0):
        name = f"{rng.randrange(1000):03}_{rng.choice(_FILES)}"
        folder = f"C:\\Users\\{host.user}\\Documents"
        is_download = rng.random() < 0.2
        origin = f"https://drive.google.com/uc?export=download&id={rng.randrange(16**12):012x}"
        yield FileEvent(
            time=time,
            host=host,
            folder=folder,
            name=name,
            process=company.EDGE if is_download else company.WINWORD,
            origin=origin if is_download else "",
            **{kind: f"{rng.getrandbits(bits):0{bits // 4}X}" for kind, bits in _HASH_BITS},
        )


_HASH_BITS = (("sha256", 256), ("sha1", 160), ("md5", 128))


def benign_clicks() -> Iterator[Click]:
    """Links in mails."""
    for rng, host, time in activity("clicks", busy=3, quiet=0):
        if host in company.WORKSTATIONS:
            name = rng.choices(_NAMES, cum_weights=_ZIPF)[0]
            yield Click(time, host, f"https://{name}/{rng.randrange(16**8):08x}", "ClickAllowed")
