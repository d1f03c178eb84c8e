"""What a server said of the file that we have, so that it need not send it again.

Beside a file ``recent.json`` lies ``.recent.json.state``: JSON of the URL it came from, its
``ETag``, its ``Last-Modified`` and its size. It is written last and removed first, so a
process that is killed leaves none rather than one of another file.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path

import httpx

from foxhunt import atomic

# Longer than any real one; what is sent back in a header is visible ASCII.
_SENT_BACK = re.compile(r"[\x20-\x7e]{1,512}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Validators:
    """Of one file.

    Attributes:
        url: Where it came from, with a mark where the key goes.
        etag: As the server sent it, or None.
        last_modified: As the server sent it, or None.
        size_bytes: Of the file as it lies here.
    """

    url: str
    etag: str | None
    last_modified: str | None
    size_bytes: int

    def headers(self) -> dict[str, str]:
        """The conditions of a request for the same file."""
        found = {"If-None-Match": self.etag, "If-Modified-Since": self.last_modified}
        return {name: value for name, value in found.items() if value is not None}


def validators_of(url: str, headers: httpx.Headers, size_bytes: int) -> Validators:
    """Take the validators out of an answer's headers."""
    return Validators(
        url=url,
        etag=_sent_back(headers.get("ETag")),
        last_modified=_sent_back(headers.get("Last-Modified")),
        size_bytes=size_bytes,
    )


def read_validators(target: Path, url: str) -> Validators | None:
    """What is known of ``target``, or None if that is nothing, or it is about another file.

    A state that cannot be read costs a download, not the sync.
    """
    try:
        raw = json.loads(_state(target).read_text("utf-8"))
        size_bytes = target.stat().st_size
    except (OSError, ValueError, RecursionError):
        return None
    if not isinstance(raw, dict) or (raw.get("url"), raw.get("size_bytes")) != (url, size_bytes):
        return None
    known = Validators(
        url=url,
        etag=_sent_back(raw.get("etag")),
        last_modified=_sent_back(raw.get("last_modified")),
        size_bytes=size_bytes,
    )
    return known if known.headers() else None


def forget_validators(target: Path) -> None:
    """Remove the state of ``target``, which is about to be replaced."""
    _state(target).unlink(missing_ok=True)


def write_validators(target: Path, validators: Validators) -> None:
    """Keep the state of ``target``, which was just replaced."""
    if validators.headers():
        atomic.write(_state(target), json.dumps(asdict(validators), indent=1) + "\n")


def _state(target: Path) -> Path:
    return target.with_name(f".{target.name}.state")


def _sent_back(value: object) -> str | None:
    return value if isinstance(value, str) and _SENT_BACK.fullmatch(value) else None
