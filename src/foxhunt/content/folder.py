"""A folder of content, kept in step with the feed: one folder a family, small diffs.

What did not change is left alone, what is gone is removed, a file's version goes up only
when its content does. Only files that an earlier run made are ever removed.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from foxhunt import atomic
from foxhunt.content import get_content
from foxhunt.content.manifest import NAME, Entry, Manifest, digest, read_manifest
from foxhunt.content.model import FIRST_VERSION, Subject
from foxhunt.content.rendering import INDEX, Made, folder_name, holds, render_all
from foxhunt.errors import UsageError
from foxhunt.rules import Rule

__all__ = ["Written", "folder_name", "stale_paths", "write_folder"]

# What is written is made ready in it, on the same file system: no family has this name.
_STAGING = ".foxhunt-staging"


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
        entries: Path to what the manifest says of it.
        changed: Paths that the folder does not hold as they are to be.
        families: Label to number of indicators.
        left_out: Label to format to reason.
        refused: See `Written`.
        lines: Of the index.
        hash: Of all indicators, in the order they come.
    """

    entries: dict[str, Entry] = field(default_factory=dict)
    changed: list[str] = field(default_factory=list)
    families: dict[str, int] = field(default_factory=dict)
    left_out: dict[str, dict[str, str]] = field(default_factory=dict)
    refused: list[tuple[str, str]] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    hash: hashlib._Hash = field(default_factory=hashlib.sha256)

    def index(self) -> bytes:
        """The file that lists the families."""
        head = ["# Rules", "", "| Family | Label | IOCs | Types |", "|---|---|---|---|"]
        return ("\n".join([*head, *self.lines]) + "\n").encode()

    def manifest(self) -> Manifest:
        """What remembers all of it."""
        return Manifest(
            files=self.entries,
            snapshot=self.hash.hexdigest(),
            indicators=sum(self.families.values()),
            families=self.families,
            left_out=self.left_out,
        )


def write_folder(subjects: Iterable[Subject], formats: Sequence[str], out: Path) -> Written:
    """Make ``out`` hold one folder a subject; rewrite what changed, remove what is gone.

    Everything is made before anything is changed. A manifest remembers what was made: it is
    written before the first file and after the last, so that a run that is killed leaves
    nothing the next one does not know. Two runs at once take turns.

    Raises:
        KeyError: Unknown format.
        UsageError: ``out`` cannot be written, or its manifest cannot be read.
    """
    _check_names(formats)
    try:
        out.mkdir(parents=True, exist_ok=True)
        with _alone(out), _staging(out) as staging:
            old = read_manifest(out)
            plan = _planned(subjects, formats, old, out, staging)
            removed = sorted(old.files.keys() - plan.entries.keys())
            _put_in_place(plan, old, removed, out, staging)
    except OSError as error:
        raise UsageError(f"cannot write {error.filename}: {error.strerror}") from error
    left_out: dict[str, int] = {}
    for reasons in plan.left_out.values():
        for name in reasons:
            left_out[name] = left_out.get(name, 0) + 1
    written = tuple(sorted(plan.changed))
    unchanged = len(plan.entries) - len(written)
    return Written(written, unchanged, tuple(removed), tuple(plan.refused), left_out)


def stale_paths(subjects: Iterable[Subject], formats: Sequence[str], out: Path) -> tuple[str, ...]:
    """Paths that `write_folder` would write or remove; none when ``out`` is in step.

    Raises:
        KeyError: Unknown format.
        UsageError: The folder's manifest cannot be read.
    """
    _check_names(formats)
    old = read_manifest(out)
    plan = _planned(subjects, formats, old, out, None)
    changed = set(plan.changed)
    if not holds(out / NAME, plan.manifest().to_json().encode()):
        changed.add(NAME)
    return tuple(sorted(changed | (old.files.keys() - plan.entries.keys())))


def _check_names(formats: Sequence[str]) -> None:
    for name in formats:
        get_content(name)  # an unknown one is refused before anything is made


@contextmanager
def _alone(out: Path) -> Iterator[None]:
    """Be the only one who changes the folder; a killed process gives its lock back."""
    lock = os.open(out, os.O_RDONLY)
    try:
        with suppress(OSError):  # NFS locks no folder: two runs at once are not kept apart there
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


@contextmanager
def _staging(out: Path) -> Iterator[Path]:
    """An empty folder for what is to be put in place, which is gone after."""
    staging = out / _STAGING
    if staging.is_dir():
        shutil.rmtree(staging)  # of a run that was killed
    staging.mkdir()
    try:
        # Killed, it may stay: a `git add` of everything must not take it.
        (staging / ".gitignore").write_text("*\n")
        yield staging
    finally:
        shutil.rmtree(staging)


def _planned(
    subjects: Iterable[Subject],
    formats: Sequence[str],
    old: Manifest,
    out: Path,
    staging: Path | None,
) -> _Plan:
    plan = _Plan()
    for rule, made in render_all(subjects, formats, old, out, staging):
        _add(plan, rule, made)
    text = plan.index()
    plan.entries[INDEX] = Entry(digest(text), FIRST_VERSION)
    if not holds(out / INDEX, text):
        plan.changed.append(INDEX)
        if staging is not None:
            (staging / INDEX).write_bytes(text)
    return plan


def _add(plan: _Plan, rule: Rule, made: Made) -> None:
    if not (made.entries or rule.indicators):
        return  # all was taken back, and no format tells of it
    plan.hash.update(made.hash.encode())
    plan.families[rule.malware] = len(rule.indicators)
    if made.reasons:
        plan.left_out[rule.malware] = made.reasons
    if not made.entries:
        plan.refused.append((rule.name, "; ".join(dict.fromkeys(made.reasons.values()))))
        return
    plan.entries |= {f"{made.folder}/{name}": entry for name, entry in made.entries.items()}
    plan.changed += [f"{made.folder}/{name}" for name in made.changed]
    types = ", ".join(rule.indicators.by_type())
    shown = re.sub(r"[^\w .-]", "", rule.name) or made.folder
    page = f"[{shown}]({made.folder}/rule.md)" if "rule.md" in made.entries else shown
    plan.lines.append(f"| {page} | `{made.folder}` | {len(rule.indicators):,} | {types} |")


def _put_in_place(
    plan: _Plan, old: Manifest, removed: Sequence[str], out: Path, staging: Path
) -> None:
    if plan.changed or removed:
        half_done = Manifest(files={**plan.entries, **old.files})
        atomic.write(out / NAME, half_done.to_json(), is_durable=False)
    names = {path.rpartition("/")[0] for path in plan.changed} - {""}
    new = {name for name in names if not (out / name).is_dir()}
    for name in new:
        # A whole folder at once, over an empty one: one step in place of a hundred and fifty.
        (out / name).mkdir()
        (staging / name).replace(out / name)
    for path in plan.changed:
        if path.rpartition("/")[0] not in new:
            (staging / path).replace(out / path)
    for path in removed:
        _remove(out, path)
    manifest = plan.manifest().to_json()
    if not holds(out / NAME, manifest.encode()):
        atomic.write(out / NAME, manifest, is_durable=False)


def _remove(out: Path, path: str) -> None:
    (out / path).unlink(missing_ok=True)
    folder = (out / path).parent
    if folder != out and folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
