"""ThreatFox's exports: files of indicators that are fetched, checked for their end, and kept.

Paths and forms are those of ThreatFox's export pages and of the clients that were read for it
(2026-09).
"""

from __future__ import annotations

import re
import zipfile
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from foxhunt.errors import AnswerError, NetworkError
from foxhunt.feeds.connections import KEY_MARK, KeyPlace
from foxhunt.feeds.endpoints import Endpoints
from foxhunt.feeds.opening import open_feed
from foxhunt.feeds.reading import FeedRead, read_feed
from foxhunt.feeds.statuses import read_status
from foxhunt.feeds.transport import Fetched, Transport, Wanted

_MIB = 1024 * 1024
_TAIL_BYTES = 4096
_FULL_BYTES = 1024 * _MIB
# An empty set is "{}", or "[]" as PHP writes it; any other ends with a list in an object.
_JSON_END = re.compile(rb"\]\s*\}\s*\Z|\A\s*(?:\{\s*\}|\[\s*\])\s*\Z")
_COMPRESSED = (b"\x1f\x8b", b"\x28\xb5\x2f\xfd")  # gzip, zstd
_CSV_END = re.compile(rb"#\s*Number of entries:\s*[0-9]+\s*\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """One file that ThreatFox publishes.

    Attributes:
        path: Below the endpoint.
        file: What it is called here.
        size_bytes: The largest that is taken, as it is sent.
        is_keyed: Whether its URL holds the key.
    """

    path: str
    file: str
    size_bytes: int = 256 * _MIB
    is_keyed: bool = False


EXPORTS = MappingProxyType(
    {
        "recent": Export(path="json/recent/", file="recent.json"),
        "recent-csv": Export(path="csv/recent/", file="recent.csv"),
        "recent-ip-port": Export(path="csv/ip-port/recent/", file="recent-ip-port.csv"),
        "recent-domains": Export(path="csv/domains/recent/", file="recent-domains.csv"),
        "recent-urls": Export(path="csv/urls/recent/", file="recent-urls.csv"),
        "full": Export(path="json/full/", file="full.json.zip", size_bytes=_FULL_BYTES),
        "full-csv": Export(path="csv/full/", file="full.csv.zip", size_bytes=_FULL_BYTES),
        "full-keyed": Export(
            path=f"{KEY_MARK}/full.csv.zip",
            file="full-keyed.csv.zip",
            size_bytes=_FULL_BYTES,
            is_keyed=True,
        ),
    }
)


def fetch_export(
    transport: Transport, endpoints: Endpoints, name: str, folder: Path, *, again: bool = False
) -> Fetched:
    """Fetch an export into ``folder``, unless the file there is still what is published.

    Args:
        transport: Needs a key for ``"full-keyed"`` only.
        endpoints: Where to ask.
        name: One of `EXPORTS`.
        folder: Made if it is missing.
        again: Fetch it whatever lies there.

    Raises:
        KeyError: No such export.
        NetworkError, RateLimitError, FeedKeyError, AnswerError, StoreError: See
            `Transport.fetch`; also when the file has no proper end, or is none at all.
    """
    export = EXPORTS[name]
    wanted = Wanted(
        name=display_name(name),
        url=(endpoints.files if export.is_keyed else endpoints.exports) + export.path,
        key=KeyPlace.PATH if export.is_keyed else KeyPlace.NOWHERE,
        size_bytes=export.size_bytes,
    )

    def check(path: Path) -> None:
        _check_whole(path, wanted.name, transport)

    return transport.fetch(wanted, folder / export.file, check=check, is_conditional=not again)


def read_export(name: str, path: Path) -> FeedRead:
    """Read what `fetch_export` fetched.

    Raises:
        FeedError: It cannot be read as a whole, or is not ThreatFox's.
    """
    with open_feed(path, display_name(name)) as stream:
        return read_feed(stream, display_name(name))


def display_name(name: str) -> str:
    """What messages and reports call an export."""
    return f"ThreatFox export {name}"


def _check_whole(path: Path, name: str, transport: Transport) -> None:
    """Refuse what is no export, and what lacks its end: a server need not say how long it is."""
    with path.open("rb") as file:
        head = file.read(_TAIL_BYTES).removeprefix(b"\xef\xbb\xbf").lstrip()
        file.seek(max(0, path.stat().st_size - _TAIL_BYTES))
        tail = file.read()
    if head[:1] in (b"<", b""):
        what = "a web page" if head else "nothing"
        hint = "was the request refused on its way?"
        raise AnswerError(f"{name}: the server answered {what}", hint=hint)
    if head.startswith(b"{"):
        read_status(path, name, transport.secret)
    if not _has_end(path, head, tail):
        raise NetworkError(f"{name}: the file is cut off", hint="try again later")


def _has_end(path: Path, head: bytes, tail: bytes) -> bool:
    if head.startswith(b"PK"):
        return zipfile.is_zipfile(path)
    if head.startswith((b"{", b"[")):
        return _JSON_END.search(tail) is not None
    # A mirror may compress; who unpacks it sees whether the end is there.
    return head.startswith(_COMPRESSED) or _CSV_END.search(tail) is not None
