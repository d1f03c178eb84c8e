"""ThreatFox's API: one method a query, each answered whole or by a precise error.

The queries and what they mean are those of ThreatFox's API page and of the clients that were read
for it (2026-09). Every query needs a key.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from foxhunt.errors import AnswerError, UsageError
from foxhunt.exclusions import read_fplist
from foxhunt.feeds.answers import (
    KnownTag,
    KnownType,
    MalwareLabel,
    read_malware_labels,
    read_tags,
    read_types,
)
from foxhunt.feeds.connections import KeyPlace
from foxhunt.feeds.endpoints import Endpoints
from foxhunt.feeds.opening import open_feed
from foxhunt.feeds.reading import FeedRead, read_feed
from foxhunt.feeds.report import FileReport
from foxhunt.feeds.statuses import EMPTY, OK, read_status
from foxhunt.feeds.transport import Transport, Wanted
from foxhunt.indicators import IndicatorSet

MAX_DAYS = 7
MAX_LIMIT = 1000
_DEFAULT_LIMIT = 100
_HASH = re.compile(r"[0-9a-fA-F]{32}|[0-9a-fA-F]{40}|[0-9a-fA-F]{64}")
_ID = re.compile(r"[0-9]{1,18}")


@dataclass(frozen=True, slots=True)
class _Answer:
    """An answer on disk.

    Attributes:
        path: The file.
        name: What messages call it.
        status: `OK`, or a word of `EMPTY`.
    """

    path: Path
    name: str
    status: str


class ThreatFox:
    """Asks the API of abuse.ch.

    Every method raises:
        FeedKeyError: No key, or it is refused.
        NetworkError, RateLimitError: No whole answer.
        FeedQueryError: The API refuses what it is asked.
        AnswerError, FeedError: The answer is not one that is documented.
        UsageError: An argument that the API would refuse; nothing is sent then.
    """

    def __init__(self, transport: Transport, endpoints: Endpoints | None = None) -> None:
        """Make a client.

        Args:
            transport: With a key.
            endpoints: None for abuse.ch's own servers.
        """
        self._transport = transport
        self._endpoints = endpoints or Endpoints()

    def get_iocs(self, days: int = 3) -> FeedRead:
        """Indicators whose first_seen lies in the last ``days``, 1 to 7 inclusive.

        What was seen again and is older is not among them.
        """
        _check_range("days", days, MAX_DAYS)
        return self._indicators("get_iocs", {"days": days})

    def ioc(self, ioc_id: str) -> FeedRead:
        """The indicator with an id of ThreatFox; none if there is no such id."""
        if not _ID.fullmatch(ioc_id):
            raise UsageError(f"{ioc_id!r} is no id of ThreatFox", hint="ids are numbers")
        return self._indicators("ioc", {"id": ioc_id})

    def search_ioc(self, term: str, *, exact: bool = False) -> FeedRead:
        """Indicators that hold ``term``, or equal it; without regard to case.

        ThreatFox's exact search knows no address without its port and no name with a dot at
        its end. Its other search crosses types: an address finds URLs on it.
        """
        term = _checked_term("search term", term)
        return self._indicators("search_ioc", {"search_term": term, "exact_match": exact})

    def search_hash(self, file_hash: str) -> FeedRead:
        """Indicators that the malware sample with this MD5, SHA-1 or SHA-256 talks to."""
        if not _HASH.fullmatch(file_hash):
            raise UsageError(f"{file_hash[:100]!r} is no MD5, SHA-1 or SHA-256 in hex")
        return self._indicators("search_hash", {"hash": file_hash.lower()})

    def taginfo(self, tag: str, limit: int = _DEFAULT_LIMIT) -> FeedRead:
        """Indicators with a tag, at most ``limit``, 1 to 1000 inclusive."""
        _check_range("limit", limit, MAX_LIMIT)
        return self._indicators("taginfo", {"tag": _checked_term("tag", tag), "limit": limit})

    def malwareinfo(self, malware: str, limit: int = _DEFAULT_LIMIT) -> FeedRead:
        """Indicators of a family, by Malpedia label or name; at most ``limit``, 1 to 1000."""
        _check_range("limit", limit, MAX_LIMIT)
        family = _checked_term("family", malware)
        return self._indicators("malwareinfo", {"malware": family, "limit": limit})

    def get_label(self, malware: str, platform: str | None = None) -> tuple[MalwareLabel, ...]:
        """Labels of families whose name holds ``malware``.

        Args:
            malware: A name as people write it.
            platform: ``win``, ``osx``, ``apk``, ``jar``, ``elf``, or None for all.
        """
        parameters: dict[str, object] = {"malware": _checked_term("family", malware)}
        if platform is not None:
            parameters["platform"] = _checked_term("platform", platform)
        with self._answer("get_label", parameters) as answer:
            return read_malware_labels(answer.path, answer.name) if answer.status == OK else ()

    def malware_list(self) -> tuple[MalwareLabel, ...]:
        """Every family that ThreatFox knows, in its order."""
        with self._answer("malware_list", {}) as answer:
            return read_malware_labels(answer.path, answer.name) if answer.status == OK else ()

    def types(self) -> tuple[KnownType, ...]:
        """Every pair of indicator type and threat type, in ThreatFox's order."""
        with self._answer("types", {}) as answer:
            return read_types(answer.path, answer.name) if answer.status == OK else ()

    def tag_list(self) -> tuple[KnownTag, ...]:
        """Every tag in use, in ThreatFox's order."""
        with self._answer("tag_list", {}) as answer:
            return read_tags(answer.path, answer.name) if answer.status == OK else ()

    def get_fplist(self, target: Path, form: Literal["json", "csv"] = "json") -> None:
        """Fetch abuse.ch's list of false positives into a file for `read_fplist`.

        ``target`` is replaced only by a list that reads.
        """
        name = "abuse.ch get_fplist"
        secret = self._transport.secret

        def check(path: Path) -> None:
            with path.open("rb") as file:
                head = file.read(1024).lstrip()
            # In CSV only a refusal is JSON.
            if form == "json" or head.startswith((b"{", b"<")):
                read_status(path, name, secret)
            try:
                read = read_fplist([path])
            except UsageError as error:
                raise AnswerError(f"{name}: {error.message}") from None
            if not read.entries and read.unread:
                raise AnswerError(f"{name}: none of {len(read.unread)} entries can be read")

        wanted = Wanted(
            name=name,
            url=self._endpoints.hunting,
            query={"query": "get_fplist", "format": form},
            key=KeyPlace.HEADER,
        )
        self._transport.fetch(wanted, target, check=check)

    def _indicators(self, query: str, parameters: dict[str, object]) -> FeedRead:
        with self._answer(query, parameters) as answer:
            if answer.status in EMPTY:
                return _no_indicators(answer)
            with open_feed(answer.path, answer.name) as stream:
                return read_feed(stream, answer.name)

    @contextmanager
    def _answer(self, query: str, parameters: dict[str, object]) -> Iterator[_Answer]:
        name, secret = f"ThreatFox {query}", self._transport.secret
        wanted = Wanted(
            name=name,
            url=self._endpoints.api,
            query={"query": query, **parameters},
            key=KeyPlace.HEADER,
        )
        with TemporaryDirectory(prefix="foxhunt-") as folder:
            path = Path(folder) / "answer.json"
            # Inside the fetch, so that "rate_limited" is waited for like its HTTP status.
            self._transport.fetch(wanted, path, check=lambda part: read_status(part, name, secret))
            yield _Answer(path, name, read_status(path, name, secret))


def _no_indicators(answer: _Answer) -> FeedRead:
    note = f"ThreatFox answered {answer.status}: {EMPTY[answer.status]}"
    report = FileReport(
        name=answer.name,
        format="API answer",
        read=0,
        indicators=0,
        quarantined=(),
        unknown_columns=(),
        notes=(note,),
    )
    return FeedRead(IndicatorSet.of([]), report)


def _check_range(name: str, number: int, largest: int) -> None:
    if not 1 <= number <= largest:
        raise UsageError(f"{name} is {number}", hint=f"1 to {largest}")


def _checked_term(name: str, text: str) -> str:
    if not text.strip():
        raise UsageError(f"the {name} is empty")
    return text.strip()
