"""A family's folder of content: rendered, compared with what is there, what differs put aside.

All of it happens where it is rendered, so that what comes back is small: the text of all
families is close to a gigabyte, and to send it through a pipe takes longer than to make it.
"""

from __future__ import annotations

import gc
import hashlib
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path

from foxhunt.content import OF_REVOKED, get_content
from foxhunt.content.manifest import NAME, Entry, Manifest, digest
from foxhunt.content.model import FIRST_VERSION, Subject
from foxhunt.errors import UnsupportedError
from foxhunt.rules import Rule

INDEX = "index.md"
# Indicators times formats from which another process, which takes half a second, is worth it.
_WORTH_A_PROCESS = 20_000
_PLAIN_LABEL = re.compile(r"[a-z0-9_]{1,20}(\.[a-z0-9_]{1,60})?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What a subject gave.

    Attributes:
        folder: Of its family.
        entries: File name to what the manifest says of it.
        changed: Names of the files that its folder does not hold as they are to be.
        reasons: Format to why it has no file.
        hash: Of its indicators.
    """

    folder: str
    entries: dict[str, Entry]
    changed: tuple[str, ...]
    reasons: dict[str, str]
    hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Task:
    """What is to be done with a subject.

    Attributes:
        subject: Which.
        formats: In which it is rendered.
        before: File name to what an earlier run's manifest says of it.
        out: The folder of all families.
        staging: Where what differs is put, in a folder of the family's name; None for nowhere.
    """

    subject: Subject
    formats: tuple[str, ...]
    before: Mapping[str, Entry]
    out: Path
    staging: Path | None


def render_all(
    subjects: Iterable[Subject],
    formats: Sequence[str],
    old: Manifest,
    out: Path,
    staging: Path | None,
) -> Iterator[tuple[Rule, Made]]:
    """Render on every core, in order; in this process when that would not pay.

    Args:
        subjects: One a family.
        formats: Known ones.
        old: What an earlier run made.
        out: The folder of all families, which is only read.
        staging: Where files that ``out`` does not hold are put; None for nowhere.
    """
    listed, before = list(subjects), _by_folder(old)
    tasks = [
        _Task(
            subject=one,
            formats=tuple(formats),
            before=before.get(folder_name(one.rule.malware), {}),
            out=out,
            staging=staging,
        )
        for one in listed
    ]
    rules = [one.rule for one in listed]
    cores = os.cpu_count() or 1
    if cores == 1 or sum(len(rule.indicators) for rule in rules) * len(formats) < _WORTH_A_PROCESS:
        yield from zip(rules, map(_make, tasks), strict=True)
        return
    # Spawned, not forked: DuckDB and Arrow have threads.
    # Without a search for cycles among millions of values, of which none is in one.
    with ProcessPoolExecutor(cores, get_context("spawn"), initializer=gc.disable) as pool:
        # The largest first: one that begins last would keep the other cores waiting.
        order = sorted(range(len(tasks)), key=lambda at: -len(rules[at].indicators))
        made = {at: pool.submit(_make, tasks[at]) for at in order}
        for at, rule in enumerate(rules):
            yield rule, made.pop(at).result()


def _by_folder(old: Manifest) -> dict[str, dict[str, Entry]]:
    found: dict[str, dict[str, Entry]] = {}
    for path, entry in old.files.items():
        folder, _, name = path.rpartition("/")
        found.setdefault(folder, {})[name] = entry
    return found


def _make(task: _Task) -> Made:
    """Render a subject with the versions of before, then what changed with its next one."""
    subject, before = task.subject, task.before
    folder = folder_name(subject.rule.malware)
    entries: dict[str, Entry] = {}
    reasons: dict[str, str] = {}
    changed: list[str] = []
    versions = {file: entry.version for file, entry in before.items()}
    for name in task.formats:
        if not (subject.rule.indicators or name in OF_REVOKED):
            continue
        try:
            texts, digests = _rendered(subject, name, versions)
            bumped = {
                file: before[file].next_version()
                for file, hashed in digests.items()
                if file in before and hashed != before[file].sha256
            }
            if bumped:
                versions |= bumped
                texts, digests = _rendered(subject, name, versions)
        except UnsupportedError as error:
            reasons[name] = error.message
            continue
        changed += _staged(texts, folder, task)
        entries |= {
            file: Entry(hashed, versions.get(file, FIRST_VERSION))
            for file, hashed in digests.items()
        }
    return Made(
        folder=folder,
        entries=entries,
        changed=tuple(changed),
        reasons=reasons,
        hash=_hash_of(subject.rule),
    )


def _rendered(
    subject: Subject, format_name: str, versions: Mapping[str, str]
) -> tuple[dict[str, bytes], dict[str, str]]:
    files = get_content(format_name)(replace(subject, versions=versions))
    texts = {file.name: file.text.encode() for file in files}
    return texts, {name: digest(text) for name, text in texts.items()}


def _staged(texts: Mapping[str, bytes], folder: str, task: _Task) -> list[str]:
    """Put aside what the folder does not hold, and return its names."""
    home = task.out / folder
    is_there = home.is_dir()
    changed = [name for name, text in texts.items() if not (is_there and holds(home / name, text))]
    if task.staging is not None and changed:
        target = task.staging / folder
        target.mkdir(exist_ok=True)
        for name in changed:
            staged = target / name
            staged.write_bytes(texts[name])
            if is_there:
                with suppress(FileNotFoundError):  # else as its owner may have set it
                    staged.chmod((home / name).stat().st_mode & 0o777)
    return changed


def _hash_of(rule: Rule) -> str:
    all_of_them = hashlib.sha256()
    for one in rule.indicators:
        all_of_them.update(f"{one!r}\n".encode("utf-8", "surrogatepass"))
    return all_of_them.hexdigest()


def holds(path: Path, text: bytes) -> bool:
    """Whether the file is there, with this content."""
    try:
        return path.read_bytes() == text
    except (FileNotFoundError, IsADirectoryError):
        return False


def folder_name(malware: str) -> str:
    """Return a folder's name for a Malpedia label, the label itself if it is a plain one.

    Labels come from the feed: one may hold a path. Whatever is not plain is told apart by
    a hash, so that two labels never share a folder, on any file system.

    >>> folder_name("win.asyncrat")
    'win.asyncrat'
    >>> folder_name("../../etc").startswith("etc-")
    True
    """
    if _PLAIN_LABEL.fullmatch(malware) and malware not in (INDEX, NAME):
        return malware
    slug = re.sub(r"[^a-z0-9_]+", "-", malware.casefold()).strip("-")[:40]
    hashed = hashlib.sha256(malware.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{slug}-{hashed}" if slug else hashed
