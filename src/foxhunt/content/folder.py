"""A folder of content, kept in step with the feed: one folder a family, small diffs.

What did not change is left alone, what is gone is removed, a file's version goes up only
when its content does. Only files that an earlier run made are ever removed.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import starmap
from multiprocessing import get_context
from pathlib import Path

from foxhunt import atomic
from foxhunt.content import OF_REVOKED, get_content
from foxhunt.content.manifest import NAME, Entry, Manifest, digest, read_manifest
from foxhunt.content.model import FIRST_VERSION, Subject
from foxhunt.errors import UnsupportedError, UsageError
from foxhunt.rules import Rule

_INDEX = "index.md"
# Indicators times formats from which another process, which takes half a second, is worth it.
_WORTH_A_PROCESS = 20_000
_PLAIN_LABEL = re.compile(r"[a-z0-9_]{1,20}(\.[a-z0-9_]{1,60})?")


@dataclass(frozen=True, slots=True)
class Written:
    """What `write_folder` did: paths below the folder, sorted.

    Attributes:
        written: New, or of other content than before.
        unchanged: How many were left alone.
        removed: Of families or formats that are gone.
        refused: Names of families of which no format could say anything, and why.
        left_out: Format to the number of families of which it could say nothing.
    """

    written: tuple[str, ...]
    unchanged: int
    removed: tuple[str, ...]
    refused: tuple[tuple[str, str], ...]
    left_out: dict[str, int]


@dataclass(slots=True)
class _Plan:
    """What a folder is to hold.

    Attributes:
        texts: Path to content.
        entries: Path to what the manifest says of it.
        families: Label to number of indicators.
        left_out: Label to format to reason.
        refused: See `Written`.
        lines: Of the index.
        hash: Of all indicators, in the order they come.
    """

    texts: dict[str, bytes] = field(default_factory=dict)
    entries: dict[str, Entry] = field(default_factory=dict)
    families: dict[str, int] = field(default_factory=dict)
    left_out: dict[str, dict[str, str]] = field(default_factory=dict)
    refused: list[tuple[str, str]] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    hash: hashlib._Hash = field(default_factory=hashlib.sha256)

    def manifest(self) -> Manifest:
        return Manifest(
            files=self.entries,
            snapshot=self.hash.hexdigest(),
            indicators=sum(self.families.values()),
            families=self.families,
            left_out=self.left_out,
        )


def write_folder(subjects: Iterable[Subject], formats: Sequence[str], out: Path) -> Written:
    """Make ``out`` hold one folder a subject; rewrite what changed, remove what is gone.

    A manifest remembers what was made. It is written before the first file and after the
    last, so that a run that is killed leaves nothing the next one does not know.

    Raises:
        KeyError: Unknown format.
        UsageError: ``out`` cannot be written, or its manifest cannot be read.
    """
    old = read_manifest(out)
    plan = _planned(subjects, formats, old)
    written = sorted(path for path, text in plan.texts.items() if not _holds(out / path, text))
    removed = sorted(old.files.keys() - plan.texts.keys())
    try:
        out.mkdir(parents=True, exist_ok=True)
        if written or removed:
            half_done = Manifest(files={**plan.entries, **old.files})
            _put(out / NAME, half_done.to_json().encode())
        for path in written:
            _put(out / path, plan.texts[path])
        for path in removed:
            _remove(out, path)
        manifest = plan.manifest().to_json().encode()
        if not _holds(out / NAME, manifest):
            _put(out / NAME, manifest)
    except OSError as error:
        raise UsageError(f"cannot write {error.filename}: {error.strerror}") from error
    left_out: dict[str, int] = {}
    for reasons in plan.left_out.values():
        for name in reasons:
            left_out[name] = left_out.get(name, 0) + 1
    unchanged = len(plan.texts) - len(written)
    return Written(tuple(written), unchanged, tuple(removed), tuple(plan.refused), left_out)


def stale_paths(subjects: Iterable[Subject], formats: Sequence[str], out: Path) -> tuple[str, ...]:
    """Paths that `write_folder` would write or remove; none when ``out`` is in step.

    Raises:
        KeyError: Unknown format.
        UsageError: The folder's manifest cannot be read.
    """
    old = read_manifest(out)
    plan = _planned(subjects, formats, old)
    texts = {**plan.texts, NAME: plan.manifest().to_json().encode()}
    changed = {path for path, text in texts.items() if not _holds(out / path, text)}
    return tuple(sorted(changed | (old.files.keys() - plan.texts.keys())))


@dataclass(frozen=True, slots=True)
class _Made:
    """What a subject gave.

    Attributes:
        folder: Of its family.
        texts: File name to content.
        entries: File name to what the manifest says of it.
        reasons: Format to why it has no file.
        hash: Of its indicators.
    """

    folder: str
    texts: dict[str, bytes]
    entries: dict[str, Entry]
    reasons: dict[str, str]
    hash: str


def _planned(subjects: Iterable[Subject], formats: Sequence[str], old: Manifest) -> _Plan:
    plan = _Plan()
    for name in formats:
        get_content(name)  # an unknown one is refused before anything is made
    for rule, made in _all_made(subjects, formats, old):
        _add(plan, rule, made)
    head = ["# Rules", "", "| Family | Label | IOCs | Types |", "|---|---|---|---|"]
    text = "\n".join([*head, *plan.lines]) + "\n"
    plan.texts[_INDEX] = text.encode()
    plan.entries[_INDEX] = Entry(digest(text), FIRST_VERSION)
    return plan


def _all_made(
    subjects: Iterable[Subject], formats: Sequence[str], old: Manifest
) -> Iterator[tuple[Rule, _Made]]:
    """Render on every core, in order; in this process when that would not pay."""
    listed = list(subjects)
    tasks = [(one, tuple(formats), _before(one, old)) for one in listed]
    rules = [one.rule for one in listed]
    cores = os.cpu_count() or 1
    if cores == 1 or sum(len(rule.indicators) for rule in rules) * len(formats) < _WORTH_A_PROCESS:
        yield from zip(rules, starmap(_make, tasks), strict=True)
        return
    # Spawned, not forked: DuckDB and Arrow have threads.
    with ProcessPoolExecutor(cores, mp_context=get_context("spawn")) as pool:
        # The largest first: one that begins last would keep the other cores waiting.
        order = sorted(range(len(tasks)), key=lambda at: -len(rules[at].indicators))
        made = {at: pool.submit(_make, *tasks[at]) for at in order}
        for at, rule in enumerate(rules):
            yield rule, made.pop(at).result()


def _before(subject: Subject, old: Manifest) -> dict[str, Entry]:
    prefix = f"{folder_name(subject.rule.malware)}/"
    return {
        path.removeprefix(prefix): entry
        for path, entry in old.files.items()
        if path.startswith(prefix)
    }


def _make(subject: Subject, formats: Sequence[str], before: Mapping[str, Entry]) -> _Made:
    """Render a subject with the versions of before, then what changed with its next one."""
    texts: dict[str, bytes] = {}
    entries: dict[str, Entry] = {}
    reasons: dict[str, str] = {}
    versions = {file: entry.version for file, entry in before.items()}
    for name in formats:
        if not (subject.rule.indicators or name in OF_REVOKED):
            continue
        render = get_content(name)
        try:
            files = tuple(render(replace(subject, versions=versions)))
        except UnsupportedError as error:
            reasons[name] = error.message
            continue
        digests = {file.name: digest(file.text) for file in files}
        changed = {
            name: before[name].next_version()
            for name, hashed in digests.items()
            if name in before and hashed != before[name].sha256
        }
        if changed:
            versions |= changed
            files = tuple(render(replace(subject, versions=versions)))
            digests = {file.name: digest(file.text) for file in files}
        texts |= {file.name: file.text.encode() for file in files}
        entries |= {
            name: Entry(hashed, versions.get(name, FIRST_VERSION))
            for name, hashed in digests.items()
        }
    all_of_them = hashlib.sha256()
    for one in subject.rule.indicators:
        all_of_them.update(f"{one!r}\n".encode("utf-8", "surrogatepass"))
    return _Made(
        folder_name(subject.rule.malware), texts, entries, reasons, all_of_them.hexdigest()
    )


def _add(plan: _Plan, rule: Rule, made: _Made) -> None:
    if not (made.texts or rule.indicators):
        return  # all was taken back, and no format tells of it
    plan.hash.update(made.hash.encode())
    plan.families[rule.malware] = len(rule.indicators)
    if made.reasons:
        plan.left_out[rule.malware] = made.reasons
    if not made.texts:
        plan.refused.append((rule.name, "; ".join(dict.fromkeys(made.reasons.values()))))
        return
    for name, text in made.texts.items():
        plan.texts[f"{made.folder}/{name}"] = text
        plan.entries[f"{made.folder}/{name}"] = made.entries[name]
    types = ", ".join(rule.indicators.by_type())
    shown = re.sub(r"[^\w .-]", "", rule.name) or made.folder
    page = f"[{shown}]({made.folder}/rule.md)" if "rule.md" in made.texts else shown
    plan.lines.append(f"| {page} | `{made.folder}` | {len(rule.indicators):,} | {types} |")


def folder_name(malware: str) -> str:
    """Return a folder's name for a Malpedia label, the label itself if it is a plain one.

    Labels come from the feed: one may hold a path. Whatever is not plain is told apart by
    a hash, so that two labels never share a folder, on any file system.

    >>> folder_name("win.asyncrat")
    'win.asyncrat'
    >>> folder_name("../../etc").startswith("etc-")
    True
    """
    if _PLAIN_LABEL.fullmatch(malware) and malware not in (_INDEX, NAME):
        return malware
    slug = re.sub(r"[^a-z0-9_]+", "-", malware.casefold()).strip("-")[:40]
    hashed = hashlib.sha256(malware.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{slug}-{hashed}" if slug else hashed


def _holds(path: Path, text: bytes) -> bool:
    return path.is_file() and path.read_bytes() == text


def _put(path: Path, text: bytes) -> None:
    path.parent.mkdir(exist_ok=True)
    atomic.write(path, text.decode(), is_durable=False)


def _remove(out: Path, path: str) -> None:
    (out / path).unlink(missing_ok=True)
    folder = (out / path).parent
    if folder != out and folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
