"""Files and folders through every check."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from foxhunt.errors import ContentError, SourceSpan, UsageError
from foxhunt.lint.documents import SUFFIXES, read_document
from foxhunt.lint.folders import shared_ids, shared_names
from foxhunt.lint.mistakes import mistakes
from foxhunt.lint.model import Document, Issue, Level, Report
from foxhunt.lint.rules import length, rule_issues
from foxhunt.lint.syntax import judges, syntax


def lint_paths(paths: Sequence[str]) -> Report:
    """Look at files, and at all of folders that may hold content.

    Raises:
        UsageError: A path that does not exist, or nothing at all to look at.
    """
    documents: list[Document] = []
    issues: list[Issue] = []
    skipped: list[str] = []
    files = dict(_files(paths))
    for path, is_named in files.items():
        try:
            document = read_document(path)
            if not document.queries and not document.computed and not document.rules:
                if not is_named:
                    skipped.append(str(path))
                    continue
                raise ContentError("holds no query and no rule", at=SourceSpan(str(path)))
        except ContentError as error:
            issues.append(_unread(path, error))
            continue
        documents.append(document)
        issues += _issues(document)
    if not documents and not issues:
        raise UsageError(f"no query and no rule in {', '.join(paths)}")
    issues += [*shared_ids(documents), *shared_names(documents)]
    return Report(
        files=len(files) - len(skipped),
        queries=sum(len(document.queries) for document in documents),
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


def _unread(path: Path, error: ContentError) -> Issue:
    return Issue(
        code="L100",
        level=Level.NOT_JUDGED,
        at=error.at or SourceSpan(str(path)),
        message=error.message,
        fix=error.hint or "check the file",
    )


def _issues(document: Document) -> Iterator[Issue]:
    for query in document.queries:
        yield from syntax(query)
        yield from length(query)
        yield from mistakes(query)
    for node in document.computed:
        yield Issue(
            code="L106",
            level=Level.NOT_JUDGED,
            at=node.at,
            message="the query is computed when it is deployed",
            fix="lint what it comes to",
        )
    yield from rule_issues(document)
