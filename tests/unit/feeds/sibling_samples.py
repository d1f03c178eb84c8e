"""Small files in the formats of the sibling feeds, headers as published (2026-10), values ours."""

from __future__ import annotations

import io
import json
from pathlib import Path

from foxhunt.feeds import FeedRead
from foxhunt.feeds.siblings import Reader, sibling_for

SHA256 = "ab" * 32
MD5 = "cd" * 16
SHA1 = "ef" * 20

URLHAUS_CSV = """\
################################################################
# abuse.ch URLhaus Database Dump (CSV - recent URLs only)      #
# Last updated: 2026-10-05 12:05:20 (UTC)                      #
#                                                              #
# Terms Of Use: https://urlhaus.abuse.ch/api/                  #
# For questions please contact urlhaus [at] abuse.ch           #
################################################################
#
# id,dateadded,url,url_status,last_online,threat,tags,urlhaus_link,reporter
"3900003","2026-10-05 12:05:20","http://9.9.9.9:58801/i","online","2026-10-05 12:05:20",\
"malware_download","32-bit,elf,mips,Mozi","https://urlhaus.abuse.ch/url/3900003/","somebody"
"3900002","2026-10-05 11:54:17","http://drop.texornacu.com/a.exe","offline","",\
"malware_download","exe,AgentTesla,SnakeKeylogger","https://urlhaus.abuse.ch/url/3900002/","anon"
"3900001","2026-10-05 11:51:29","https://texornacu.com/x?y=1,2","online","2026-10-05 11:52:00",\
"malware_download","None","https://urlhaus.abuse.ch/url/3900001/","anonymous"
""".replace("\n", "\r\n")

URLHAUS_JSON = json.dumps(
    {
        "3900003": [
            {
                "dateadded": "2026-10-05 12:05:20 UTC",
                "url": "http://9.9.9.9:58801/i",
                "url_status": "online",
                "last_online": "2026-10-05 12:05:20 UTC",
                "threat": "malware_download",
                "tags": ["32-bit", "elf", "mips", "Mozi"],
                "urlhaus_link": "https://urlhaus.abuse.ch/url/3900003/",
                "reporter": "somebody",
            }
        ],
        "3900001": [
            {
                "dateadded": "2026-10-05 11:51:29 UTC",
                "url": "https://texornacu.com/x?y=1,2",
                "url_status": "offline",
                "last_online": None,
                "threat": "malware_download",
                "tags": None,
                "urlhaus_link": "https://urlhaus.abuse.ch/url/3900001/",
                "reporter": "anonymous",
            }
        ],
    }
)

URLHAUS_API = json.dumps(
    {
        "query_status": "ok",
        "urls": [
            {
                "id": "3900003",
                "urlhaus_reference": "https://urlhaus.abuse.ch/url/3900003/",
                "url": "http://9.9.9.9:58801/i",
                "url_status": "online",
                "host": "9.9.9.9",
                "date_added": "2026-10-05 12:05:20 UTC",
                "threat": "malware_download",
                "blacklists": {"spamhaus_dbl": "not listed", "surbl": "not listed"},
                "reporter": "somebody",
                "larted": "true",
                "tags": ["elf", "Mozi"],
            }
        ],
    }
)

MALWAREBAZAAR_CSV = f"""\
################################################################
# MalwareBazaar recent malware samples (CSV)                   #
# Last updated: 2026-10-05 00:45:00 UTC                        #
#                                                              #
# Terms Of Use: https://bazaar.abuse.ch/faq/#tos               #
# For questions please contact bazaar [at] abuse.ch            #
################################################################
#
# "first_seen_utc","sha256_hash","md5_hash","sha1_hash","reporter","file_name",\
"file_type_guess","mime_type","signature","clamav","vtpercent","imphash","ssdeep","tlsh"
"2026-10-05 00:42:15", "{SHA256.upper()}", "{MD5}", "{SHA1}", "abuse_ch", "kush, net.x64", "elf", \
"application/x-executable", "Mirai", "n/a", "n/a", "n/a", "12288:x", "T1AB"
"2026-10-05 00:38:02", "{"12" * 32}", "{"34" * 16}", "{"56" * 20}", "abuse_ch", "i686", "exe", \
"application/x-dosexec", "n/a", "n/a", "62.5", "n/a", "384:x", "n/a"
# Number of entries: 2
""".replace("\n", "\r\n")

MALWAREBAZAAR_API = json.dumps(
    {
        "query_status": "ok",
        "data": [
            {
                "sha256_hash": SHA256,
                "sha3_384_hash": "99" * 48,
                "sha1_hash": SHA1,
                "md5_hash": MD5,
                "first_seen": "2026-10-05 00:42:15",
                "last_seen": None,
                "file_name": "kush, net.x64",
                "file_size": 115288,
                "file_type_mime": "application/x-executable",
                "file_type": "elf",
                "reporter": "abuse_ch",
                "origin_country": "DE",
                "anonymous": 0,
                "signature": "Mirai",
                "imphash": None,
                "tlsh": "T1AB",
                "telfhash": None,
                "gimphash": None,
                "ssdeep": "12288:x",
                "dhash_icon": None,
                "tags": ["elf", "Mirai"],
                "code_sign": [],
                "intelligence": {"clamav": None, "downloads": "5", "uploads": "1", "mail": None},
            }
        ],
    }
)

FEODO_CSV = """\
################################################################
# abuse.ch Feodo Tracker Botnet C2 IP Blocklist (CSV)          #
# Last updated: 2026-03-12 14:28:39 UTC                        #
#                                                              #
# Terms Of Use: https://feodotracker.abuse.ch/blocklist/       #
# For questions please contact feodotracker [at] abuse.ch      #
################################################################
#
"first_seen_utc","dst_ip","dst_port","c2_status","last_online","malware"
"2022-06-04 21:24:53","9.9.9.9","8080","offline","2026-03-07","Emotet"
"2025-12-30 13:56:31","2620:fe::fe","443","online","2026-03-12","QakBot"
# END 2 entries
""".replace("\n", "\r\n")

FEODO_AGGRESSIVE_CSV = """\
################################################################
# abuse.ch Feodo Tracker Botnet C2 IP Blocklist (CSV)          #
################################################################
#
"first_seen_utc","dst_ip","dst_port","last_online","malware"
"2022-06-04 21:24:53","9.9.9.9","8080","2026-03-07","Emotet"
"""

FEODO_2020_CSV = """\
# Firstseen,DstIP,DstPort,LastOnline,Malware
2020-10-29 19:16:38,9.9.9.9,80,2020-11-02,Heodo
"""

FEODO_JSON = json.dumps(
    [
        {
            "ip_address": "9.9.9.9",
            "port": 8080,
            "status": "offline",
            "hostname": None,
            "as_number": 19281,
            "as_name": "QUAD9",
            "country": "US",
            "first_seen": "2022-06-04 21:24:53",
            "last_online": "2026-03-07",
            "malware": "Emotet",
        }
    ]
)

SSLBL_IP_CSV = """\
################################################################
# abuse.ch SSLBL Botnet C2 IP Blacklist (CSV)                  #
# Last updated: 2024-12-30 07:30:49 UTC                        #
#                                                              #
# Terms Of Use: https://sslbl.abuse.ch/blacklist/              #
# For questions please contact sslbl [at] abuse.ch             #
################################################################
#
# Firstseen,DstIP,DstPort
2024-12-30 06:17:52,9.9.9.9,443
2024-12-29 11:00:00,9.9.9.10,4449
""".replace("\n", "\r\n")

SSLBL_CERTIFICATES_CSV = f"""\
################################################################
# abuse.ch SSLBL SSL Certificate Blacklist (SHA1 Fingerprints) #
# Last updated: 2026-07-22 07:30:49 UTC                        #
################################################################
#
# Listingdate,SHA1,Listingreason
2026-07-21 12:29:18,{SHA1},Vidar C&C
"""


def stream(data: bytes | str) -> io.BufferedReader:
    """Bytes as `open_stream` gives them."""
    raw = data.encode("utf-8", "surrogateescape") if isinstance(data, str) else data
    return io.BufferedReader(io.BytesIO(raw))


def read_with(reader: Reader, data: bytes | str, name: str = "feed") -> FeedRead:
    """What a reader makes of a file; every record is accounted for."""
    read = reader(stream(data), name)
    assert read.report.read == read.report.indicators + len(read.report.quarantined)
    assert read.report.quarantined == read.indicators.quarantined
    return read


def read_sibling(data: bytes | str, name: str = "feed") -> FeedRead:
    """The same by the reader that the file's beginning chooses."""
    raw = data.encode("utf-8", "surrogateescape") if isinstance(data, str) else data
    reader = sibling_for(raw[:4096])
    assert reader is not None, "recognised as no sibling's"
    return read_with(reader, raw, name)


def write(folder: Path, name: str, data: str) -> str:
    """Write a file and return its path as a user would type it."""
    path = folder / name
    path.write_text(data, encoding="utf-8", newline="")
    return str(path)


def identity(name: str = "Ministry of Foxes") -> dict[str, object]:
    """A STIX object: who published."""
    return {
        "type": "identity",
        "spec_version": "2.1",
        "id": "identity--11111111-1111-4111-8111-111111111111",
        "created": "2026-01-01T00:00:00.000Z",
        "modified": "2026-01-01T00:00:00.000Z",
        "name": name,
        "identity_class": "organization",
    }


def indicator(pattern: str, number: int = 1, **changes: object) -> dict[str, object]:
    """A STIX indicator; a change to `...` leaves the field out."""
    fields: dict[str, object] = {
        "type": "indicator",
        "spec_version": "2.1",
        "id": f"indicator--00000000-0000-4000-8000-{number:012}",
        "created_by_ref": identity()["id"],
        "created": "2026-05-24T06:12:33.000Z",
        "modified": "2026-06-01T00:00:00.000Z",
        "indicator_types": ["malicious-activity"],
        "pattern": pattern,
        "pattern_type": "stix",
        "valid_from": "2026-05-24T06:12:33.123456789Z",
        "confidence": 85,
    }
    return {name: value for name, value in (fields | changes).items() if value is not ...}


def malware(name: str, number: int = 1, **changes: object) -> dict[str, object]:
    """A STIX malware object."""
    return {
        "type": "malware",
        "spec_version": "2.1",
        "id": f"malware--00000000-0000-4000-8000-{number:012}",
        "created": "2026-01-01T00:00:00.000Z",
        "modified": "2026-01-01T00:00:00.000Z",
        "name": name,
        "is_family": True,
    } | changes


def indicates(indicator_number: int, malware_number: int = 1) -> dict[str, object]:
    """A STIX relationship."""
    number = indicator_number * 100 + malware_number
    return {
        "type": "relationship",
        "spec_version": "2.1",
        "id": f"relationship--00000000-0000-4000-8000-{number:012}",
        "created": "2026-01-01T00:00:00.000Z",
        "modified": "2026-01-01T00:00:00.000Z",
        "relationship_type": "indicates",
        "source_ref": f"indicator--00000000-0000-4000-8000-{indicator_number:012}",
        "target_ref": f"malware--00000000-0000-4000-8000-{malware_number:012}",
    }


def bundle(*objects: object) -> str:
    """A STIX bundle."""
    return json.dumps(
        {
            "type": "bundle",
            "id": "bundle--22222222-2222-4222-8222-222222222222",
            "objects": list(objects),
        },
        indent=1,
    )


STIX_BUNDLE = bundle(
    indicates(1),
    identity(),
    indicator("[domain-name:value = 'texornacu.com']"),
    malware("AsyncRAT", aliases=["AsyncRAT", "Async RAT"]),
    indicator(
        "[network-traffic:dst_ref.value = '9.9.9.9' AND network-traffic:dst_port = 443]",
        2,
        created_by_ref=...,
        valid_until="2026-12-24T00:00:00Z",
    ),
    indicator(f"[file:hashes.'SHA-256' = '{SHA256}' OR file:hashes.MD5 = '{MD5}']", 3),
    indicator("[url:value LIKE 'http://%.org/']", 4),
)


def attribute(kind: str, value: str, number: int = 1, **changes: object) -> dict[str, object]:
    """A MISP attribute; a change to `...` leaves the field out."""
    fields: dict[str, object] = {
        "uuid": f"00000000-0000-4000-8000-{number:012}",
        "type": kind,
        "category": "Network activity",
        "value": value,
        "to_ids": True,
        "comment": "",
        "timestamp": "1780000000",
        "deleted": False,
        "disable_correlation": False,
        "distribution": "5",
    }
    return {name: one for name, one in (fields | changes).items() if one is not ...}


def event(*attributes: object, **changes: object) -> dict[str, object]:
    """A MISP event."""
    fields: dict[str, object] = {
        "uuid": "33333333-3333-4333-8333-333333333333",
        "info": "ThreatFox IOCs for 2026-05-24",
        "date": "2026-05-24",
        "timestamp": "1780000000",
        "published": True,
        "analysis": "2",
        "threat_level_id": "2",
        "Orgc": {"name": "abuse.ch", "uuid": "44444444-4444-4444-8444-444444444444"},
        "Tag": [{"name": "tlp:white", "colour": "#ffffff"}],
        "Attribute": list(attributes),
    }
    return {"Event": {name: one for name, one in (fields | changes).items() if one is not ...}}


MISP_EVENT = json.dumps(
    event(
        attribute(
            "ip-dst|port",
            "9.9.9.9|443",
            comment="AsyncRAT botnet C2 server (confidence level: 75%)",
        ),
        attribute("domain", "texornacu.com", 2, Tag=[{"name": 'misp-galaxy:malpedia="Fox"'}]),
        attribute("filename|sha256", f"a|b.exe|{SHA256}", 3, category="Payload delivery"),
        attribute("ip-dst", "9.9.9.9", 4),
        attribute("link", "https://texornacu.com/report", 5, to_ids=False),
    ),
    indent=1,
)

MAPPED_CSV = """\
seen;kind;what;family;score;words
24.05.2026 06:12;fqdn;texornacu.com;win.fox;80;rat,c2
25.05.2026 06:12;socket;9.9.9.9:443;Async RAT;;
26.05.2026;fqdn;late.texornacu.com;;;
"""

MAPPING = """\
source: ministry
separator: ";"
time_format: "%d.%m.%Y %H:%M"
columns:
  value: what
  type: kind
  first_seen: seen
  malware: family
  confidence_level: score
  tags: words
types:
  fqdn: domain
  socket: ip:port
constants:
  threat_type: botnet_cc
"""
