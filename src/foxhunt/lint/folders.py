"""What two files of a folder may not have in common."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from foxhunt.errors import SourceSpan
from foxhunt.lint.model import Document, Holder, Issue, Level, Rule

_GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def shared_ids(documents: Sequence[Document]) -> Iterator[Issue]:
    """Yield each id that an earlier rule of the same format has: one would replace the other."""
    seen: dict[tuple[str, Holder, str], SourceSpan] = {}
    for document in documents:
        for rule in document.rules:
            id_ = _guid(rule)
            if rule.id is None or id_ is None:
                continue
            # The same rule in two formats keeps its id: it is deployed from one of them.
            key = (Path(document.file).suffix, rule.holder, id_)
            first = seen.setdefault(key, rule.id.at)
            if first is not rule.id.at and first != rule.id.at:
                yield Issue(
                    code="L133",
                    level=Level.ERROR,
                    at=rule.id.at,
                    message=f"id {id_} is that of {first} too: one would replace the other",
                    fix="give it an id of its own",
                )


def _guid(rule: Rule) -> str | None:
    """The GUID in a rule's id; in ARM it stands in the name, perhaps within an expression."""
    found = _GUID.search(rule.id.text or "") if rule.id else None
    return found[0].lower() if found else None


def shared_names(documents: Sequence[Document]) -> Iterator[Issue]:
    """Yield each file name that templates of one format share, once.

    Azure-Sentinel's own tests refuse it (2026); a folder for each family may well have it.
    """
    seen: dict[tuple[str, Holder], str] = {}
    told: set[tuple[str, Holder]] = set()
    for document in documents:
        for holder in {rule.holder for rule in document.rules}:
            key = (Path(document.file).name, holder)
            first = seen.setdefault(key, document.file)
            is_yaml = holder in (Holder.ANALYTICS, Holder.HUNTING)
            if is_yaml and first != document.file and key not in told:
                told.add(key)
                yield Issue(
                    code="L134",
                    level=Level.WARNING,
                    at=SourceSpan(document.file, 1, 1),
                    message=f"{first} has the same file name: Azure-Sentinel refuses two templates "
                    "of one name",
                    fix="rename one, if they go there",
                )
