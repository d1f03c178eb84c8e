"""What two files of a folder may not have in common."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from foxhunt.errors import SourceSpan
from foxhunt.lint.model import Document, Holder, Issue, Level
from foxhunt.lint.node import Node

_GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Identity:
    """What the rules of a file are known by.

    Attributes:
        file: Its name.
        ids: Format, GUID and place of each rule that has one.
        holders: The formats of its rules.
    """

    file: str
    ids: tuple[tuple[Holder, str, SourceSpan], ...]
    holders: tuple[Holder, ...]


def identity(document: Document) -> Identity:
    """What is left of a file when its own checks are done."""
    ids = tuple(
        (rule.holder, id_, rule.id.at)
        for rule in document.rules
        if rule.id is not None and (id_ := _guid(rule.id)) is not None
    )
    return Identity(
        document.file, ids, tuple(dict.fromkeys(rule.holder for rule in document.rules))
    )


def shared_ids(files: Iterable[Identity]) -> Iterator[Issue]:
    """Yield each id that an earlier rule of the same format has: one would replace the other."""
    seen: dict[tuple[str, Holder, str], SourceSpan] = {}
    for file in files:
        for holder, id_, at in file.ids:
            # The same rule in two formats keeps its id: it is deployed from one of them.
            key = (Path(file.file).suffix, holder, id_)
            first = seen.setdefault(key, at)
            if first != at:
                yield Issue(
                    code="L133",
                    level=Level.ERROR,
                    at=at,
                    message=f"id {id_} is that of {first} too: one would replace the other",
                    fix="give it an id of its own",
                )


def _guid(id_: Node) -> str | None:
    """The GUID in a rule's id; in ARM it stands in the name, perhaps within an expression."""
    found = _GUID.search(id_.text or "")
    return found[0].lower() if found else None


def shared_names(files: Iterable[Identity]) -> Iterator[Issue]:
    """Yield each file name that templates of one format share, once.

    Azure-Sentinel's own tests refuse it (2026); a folder for each family may well have it.
    """
    seen: dict[tuple[str, Holder], str] = {}
    told: set[tuple[str, Holder]] = set()
    for file in files:
        for holder in file.holders:
            key = (Path(file.file).name, holder)
            first = seen.setdefault(key, file.file)
            is_yaml = holder in (Holder.ANALYTICS, Holder.HUNTING)
            if is_yaml and first != file.file and key not in told:
                told.add(key)
                yield Issue(
                    code="L134",
                    level=Level.WARNING,
                    at=SourceSpan(file.file, 1, 1),
                    message=f"{first} has the same file name: Azure-Sentinel refuses two templates "
                    "of one name",
                    fix="rename one, if they go there",
                )
