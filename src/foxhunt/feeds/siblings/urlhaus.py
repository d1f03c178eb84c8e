"""URLhaus: URLs from which malware is spread.

Read are the CSV exports (``csv_recent``, ``csv_online``, the full dump), the JSON exports and the
API's answers (``urls/recent``, ``tag``, ``host``), as published in 2026-10.

- Family: URLhaus gives none, but its reporters write it as a tag, beside tags that are none. What
  tells a file's kind, a processor or a way of spreading (`_NO_FAMILY`) is left out; what remains
  names the family. A URL without such a tag is of the family ``unknown``.
- Confidence: 75. Nobody states a number; it is the lowest that does not lower a finding's severity,
  as reporters are registered and abuse.ch itself checks whether a URL is online.
- ``threat`` ``malware_download`` is ThreatFox's ``payload_delivery``; other words stay.
- ``last_online`` is ``last_seen``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TextIO

from foxhunt.feeds.raw import Reading
from foxhunt.feeds.siblings.csv_tables import Layout, header_of, rows
from foxhunt.feeds.siblings.json_documents import Shape, keys_in, records
from foxhunt.feeds.siblings.told import RawTold, Told, broken, family, words

SOURCE = "urlhaus"
_CONFIDENCE = 75
_LAYOUT = Layout(
    what="URLhaus's CSV",
    needed=(frozenset({"id", "dateadded", "url", "urlhaus_link"}),),
    known=frozenset(
        {
            *("id", "dateadded", "url", "url_status", "last_online", "threat", "tags"),
            *("urlhaus_link", "reporter"),
        }
    ),
)
_SHAPE = Shape("URLhaus", ("urls",), frozenset({"url"}))
_KEYS = frozenset({"urlhaus_link", "urlhaus_reference"})
_KNOWN = _LAYOUT.known | {
    *("date_added", "urlhaus_reference", "host", "blacklists", "larted", "payloads"),
    *("takedown_time_seconds", "takedown_time"),
}
_THREATS = {"malware_download": "payload_delivery"}
# Words for files, processors and ways of spreading, chosen by hand from published exports. One that
# is missing makes a family of its own, which finds what it says; one too many would hide a family.
_NO_FAMILY = frozenset(
    {
        *("elf", "exe", "dll", "msi", "sh", "bat", "cmd", "ps1", "powershell", "vbs", "vbe"),
        *("js", "jse", "hta", "lnk", "iso", "img", "zip", "rar", "7z", "gz", "tar", "cab"),
        *("doc", "docx", "docm", "xls", "xlsx", "xlsm", "xlsb", "rtf", "pdf", "one", "apk"),
        *("jar", "class", "py", "php", "html", "txt", "bin", "dmg", "macho", "pe", "script"),
        *("shellscript", "ascii", "32-bit", "64-bit", "32", "64", "x86", "x86-64", "x86_64"),
        *("i586", "i686", "arm", "arm4", "arm5", "arm6", "arm7", "armv4l", "armv5l"),
        *("armv6l", "armv7l", "aarch64", "mips", "mipsel", "mpsl", "powerpc", "ppc", "sparc"),
        *("m68k", "sh4", "superh", "renesas", "motorola", "arc", "riscv", "intel", "windows"),
        *("linux", "android", "macos", "malware", "malware_download", "payload", "dropper"),
        *("downloader", "loader", "stealer", "rat", "botnet", "botnetdomain", "c2"),
        *("phishing", "opendir", "open-dir", "encrypted", "encoded", "base64"),
        *("rev-base64-loader", "reversed", "steganography", "geofenced", "ua-wget"),
        *("ua-curl", "wget", "curl", "iot", "ddos", "ascii-encoded", "github", "discord"),
        *("pw-protected", "password-protected", "password", "archive", "dropped-by-amadey"),
    }
)


def recognises(head: str) -> bool:
    """Whether the beginning of a file is URLhaus's."""
    return bool(header_of(head, _LAYOUT)) or not _KEYS.isdisjoint(keys_in(head))


def told(stream: TextIO, reading: Reading, *, is_json: bool) -> RawTold:
    """Yield the records of an export or answer.

    Raises:
        FeedError: It is not URLhaus's, or an error.
    """
    if is_json:
        for source_id, raw in records(stream, reading, _SHAPE):
            yield _told(raw, source_id, reading)
        return
    reading.format = "URLhaus CSV export"
    for row in rows(stream, reading, _LAYOUT):
        yield _told(row.fields, None, reading)


def _told(raw: object, source_id: str | None, reading: Reading) -> Told:
    if not isinstance(raw, Mapping):
        return Told(source=SOURCE, source_id=source_id, record=broken(raw), type="url")
    reading.columns.update(raw.keys() - _KNOWN)
    record = {
        "id": raw.get("id"),
        "ioc_value": raw.get("url"),
        "ioc_type": "url",
        "threat_type": _threat_type(raw.get("threat")),
        "first_seen": raw.get("dateadded", raw.get("date_added")),
        "last_seen": raw.get("last_online"),
        "confidence_level": _CONFIDENCE,
        "reference": raw.get("urlhaus_link", raw.get("urlhaus_reference")),
        "reporter": raw.get("reporter"),
        "tags": raw.get("tags"),
    }
    named = (tag for tag in words(raw.get("tags")) if tag.lower() not in _NO_FAMILY)
    return Told(source=SOURCE, source_id=source_id, record=record | family(named), type="url")


def _threat_type(raw: object) -> object:
    return _THREATS.get(raw, raw) if isinstance(raw, str) else raw
