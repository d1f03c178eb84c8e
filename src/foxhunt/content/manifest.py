"""What an earlier run put into a folder: so that a change is seen, and nothing else is touched."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from foxhunt.content.model import FIRST_VERSION
from foxhunt.content.pretty import to_json
from foxhunt.errors import UsageError

NAME = ".foxhunt-rules.json"
_SCHEMA = "foxhunt.rules/1"
_SAFE_PATH = re.compile(r"[a-z0-9_.-]{1,100}(/[a-z0-9_.-]{1,200})?")
_VERSION = re.compile(r"[0-9]{1,6}\.[0-9]{1,6}\.[0-9]{1,6}")


@dataclass(frozen=True, slots=True)
class Entry:
    """A file that was written.

    Attributes:
        sha256: Of its bytes, in hex.
        version: The version it carries, if its format has one; counted in any case.
    """

    sha256: str
    version: str

    def next_version(self) -> str:
        """The version of its next content.

        >>> Entry("", "1.0.9").next_version()
        '1.0.10'
        """
        major, minor, patch = self.version.split(".")
        return f"{major}.{minor}.{int(patch) + 1}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a folder holds, and what it was made of; the same content gives the same bytes.

    Attributes:
        files: Path below the folder to what was written there.
        snapshot: Hash of the indicators, or of none in a manifest that is only half done.
        indicators: How many there were.
        families: Malpedia label to the number of its indicators.
        left_out: Malpedia label to formats, and why each has no file of the family.
    """

    files: Mapping[str, Entry] = field(default_factory=dict)
    snapshot: str = ""
    indicators: int = 0
    families: Mapping[str, int] = field(default_factory=dict)
    left_out: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def to_json(self) -> str:
        """The manifest's file."""
        value = {
            "schema": _SCHEMA,
            "snapshot": self.snapshot,
            "indicators": self.indicators,
            "families": dict(sorted(self.families.items())),
            "left_out": {name: dict(why) for name, why in sorted(self.left_out.items())},
            "files": {
                path: {"sha256": entry.sha256, "version": entry.version}
                for path, entry in sorted(self.files.items())
            },
        }
        return to_json(value, " ") + "\n"


def digest(text: bytes) -> str:
    """The hash by which a file's content is remembered."""
    return hashlib.sha256(text).hexdigest()


def read_manifest(folder: Path) -> Manifest:
    """Read what an earlier run wrote; an empty one if there was none.

    Raises:
        UsageError: It cannot be read.
    """
    path = folder / NAME
    try:
        value = json.loads(path.read_text("utf-8"))
        files = {name: _entry(entry) for name, entry in value["files"].items()}
    except FileNotFoundError:
        return Manifest()
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(
            f"{path} cannot be read: {error}",
            hint="delete it; files of families that are gone then stay",
        ) from error
    # What is listed is removed one day: nothing outside of the folder may be.
    safe = {name: one for name, one in files.items() if _SAFE_PATH.fullmatch(name)}
    return Manifest(files={name: one for name, one in safe.items() if ".." not in name})


def _entry(value: Mapping[str, Any]) -> Entry:  # JSON values have no narrower type
    version = str(value["version"])
    return Entry(str(value["sha256"]), version if _VERSION.fullmatch(version) else FIRST_VERSION)
