"""The files that feeds beside ThreatFox publish: fetched whole, or not at all.

Addresses are those of abuse.ch's own download pages, and need no key (2026). A mirror or an air
gap names another one in the environment.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from foxhunt.errors import AnswerError, NetworkError, UsageError
from foxhunt.feeds.endpoints import base_url, is_abusech
from foxhunt.feeds.opening import open_feed
from foxhunt.feeds.reading import FeedRead, read_feed
from foxhunt.feeds.secrets import KEY_VARIABLE
from foxhunt.feeds.transport import Transport, Wanted

SIBLING_FILES = MappingProxyType(
    {
        "urlhaus": "https://urlhaus.abuse.ch/downloads/csv_recent/",
        "malwarebazaar": "https://bazaar.abuse.ch/export/csv/recent/",
        "feodotracker": "https://feodotracker.abuse.ch/downloads/ipblocklist.csv",
        "sslbl": "https://sslbl.abuse.ch/blacklist/sslipblacklist.csv",
    }
)
_COMPRESSED = (b"PK", b"\x1f\x8b", b"\x28\xb5\x2f\xfd")


def sibling_url(feed: str, environ: Mapping[str, str]) -> str:
    """Where the file of ``feed`` is, or where ``FOXHUNT_<FEED>_URL`` says that it is.

    Raises:
        UsageError: No such feed, or the variable holds no URL that may be asked.
    """
    if feed not in SIBLING_FILES:
        known = ", ".join(("threatfox", *SIBLING_FILES))
        raise UsageError(f"no feed {feed[:40]!r} to fetch", hint=f"there are: {known}")
    variable = _variable(feed)
    given = environ.get(variable, "").strip()
    if not given:
        return SIBLING_FILES[feed]
    checked = base_url(given, variable)
    return checked if given.endswith("/") else checked.removesuffix("/")


def fetch_sibling(feed: str, url: str, transport: Transport, folder: Path) -> FeedRead:
    """Fetch the file of a feed, unless the one in ``folder`` is still what is published.

    Args:
        feed: One of `SIBLING_FILES`.
        url: Of `sibling_url`.
        transport: No key is sent.
        folder: Made if it is missing.

    Raises:
        NetworkError, RateLimitError, AnswerError, StoreError: See `Transport.fetch`; also when
            what came is a web page, or has no end.
        FeedError: It cannot be read as a whole, or is another feed's.
    """
    wanted = Wanted(name=f"{feed} file", url=url, keyless_hint=keyless_hint(feed, url))
    fetched = transport.fetch(wanted, folder / f"{feed}.csv", check=_check, is_conditional=True)
    with open_feed(fetched.path, wanted.name) as stream:
        read = read_feed(stream, wanted.name)
    others = set(read.indicators.table["source"].unique().to_pylist()) - {feed}
    if others:
        raise AnswerError(
            f"{wanted.name}: the server answered with indicators of {', '.join(sorted(others))}",
            hint=f"what does {_variable(feed)} name?",
        )
    return read


def _variable(feed: str) -> str:
    return f"FOXHUNT_{feed.upper()}_URL"


def keyless_hint(feed: str, url: str) -> str:
    """What to do where the server of ``url`` asks for a key: foxhunt has none for it."""
    if is_abusech(url):
        whose = (
            f"abuse.ch has one key for all its APIs, but {KEY_VARIABLE} is not sent to this file"
        )
    else:
        whose = f"the server that {_variable(feed)} names wants a key of its own, not abuse.ch's"
    return (
        f"{whose}: fetch it yourself and give it to `foxhunt sync --file`, or name in "
        f"{_variable(feed)} a server that asks for none"
    )


def _check(path: Path) -> None:
    with path.open("rb") as file:
        head = file.read(64).removeprefix(b"\xef\xbb\xbf").lstrip()
        file.seek(max(0, path.stat().st_size - 1))
        end = file.read()
    if head[:1] in (b"<", b""):
        what = "a web page" if head else "nothing"
        raise AnswerError(f"the server answered {what}", hint="was the request refused on its way?")
    if not head.startswith(_COMPRESSED) and end != b"\n":
        raise NetworkError("the file is cut off in the middle of a line", hint="try again later")
