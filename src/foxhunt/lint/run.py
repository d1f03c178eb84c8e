"""Files and folders through every check."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from foxhunt.errors import SourceSpan, UsageError
from foxhunt.lint.documents import SUFFIXES
from foxhunt.lint.files import Looked, look_at_all
from foxhunt.lint.folders import shared_ids, shared_names
from foxhunt.lint.model import Issue, Level, Report
from foxhunt.lint.syntax import judges


def _untold(what: str, done: int, total: int) -> None:
    pass


def lint_paths(paths: Sequence[str], *, tell: Callable[[str, int, int], None] = _untold) -> Report:
    """Look at files, and at all of folders that may hold content.

    Args:
        paths: Of files and folders.
        tell: Told, now and then, what is being done, how many files are done, of how many.

    Raises:
        UsageError: A path that does not exist, or nothing at all to look at.
    """
    files = dict(_files(paths))
    issues: list[Issue] = []
    skipped: list[str] = []
    looked: list[Looked] = []
    for (path, is_named), one in zip(files.items(), look_at_all(list(files), tell), strict=True):
        if one.is_empty and not is_named:
            skipped.append(str(path))
            continue
        looked.append(one)
        issues += [_no_content(path)] if one.is_empty else one.issues
    if not looked:
        raise UsageError(f"no query and no rule in {', '.join(paths)}")
    identities = [one.identity for one in looked if one.identity]
    issues += [*shared_ids(identities), *shared_names(identities)]
    return Report(
        files=len(files) - len(skipped),
        queries=sum(one.queries for one in looked),
        issues=_ordered(issues, files),
        judges=judges(),
        skipped=tuple(skipped),
    )


def _files(paths: Sequence[str]) -> Iterator[tuple[Path, bool]]:
    """Each file, and whether it was named: what was named has to hold something."""
    for text in paths:
        path = Path(text)
        if not path.exists():
            raise UsageError(f"no such file or folder: {text}")
        if not path.is_dir():
            yield path, True
            continue
        found = sorted(one for one in path.rglob("*") if _may_hold(one, path))
        if not found:
            raise UsageError(f"{text} holds no {', '.join(SUFFIXES)}")
        yield from ((one, False) for one in found)


def _may_hold(path: Path, folder: Path) -> bool:
    # Hidden files and folders are tools' own: manifests, version control.
    is_hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
    return path.suffix.lower() in SUFFIXES and path.is_file() and not is_hidden


def _ordered(issues: Sequence[Issue], files: dict[Path, bool]) -> tuple[Issue, ...]:
    places = {str(path): place for place, path in enumerate(files)}
    return tuple(
        sorted(
            dict.fromkeys(issues),
            key=lambda one: (places[one.at.name], one.at.line or 0, one.at.column or 0, one.code),
        )
    )


def _no_content(path: Path) -> Issue:
    return Issue(
        code="L100",
        level=Level.NOT_JUDGED,
        at=SourceSpan(str(path)),
        message="holds no query and no rule",
        fix="check the file",
    )
