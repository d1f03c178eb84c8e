"""Files and folders through every check."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from foxhunt.errors import ContentError, SourceSpan, UsageError
from foxhunt.lint.documents import SUFFIXES, read_document
from foxhunt.lint.mistakes import mistakes
from foxhunt.lint.model import Document, Issue, Level, Report
from foxhunt.lint.rules import document_issues, folder_issues, length
from foxhunt.lint.syntax import judges, syntax


def lint_paths(paths: Sequence[str]) -> Report:
    """Look at files, and at all of folders that may hold content.

    Raises:
        UsageError: A path that does not exist, or no file at all.
    """
    documents: list[Document] = []
    issues: list[Issue] = []
    files = list(_files(paths))
    for path in files:
        try:
            document = read_document(path)
        except ContentError as error:
            issues.append(_unread(path, error))
            continue
        documents.append(document)
        issues += _issues(document)
    issues += folder_issues(documents)
    places = {str(path): place for place, path in enumerate(files)}
    ordered = sorted(
        issues, key=lambda i: (places[i.at.name], i.at.line or 0, i.at.column or 0, i.code)
    )
    queries = sum(len(document.queries) for document in documents)
    return Report(len(files), queries, tuple(ordered), judges())


def _files(paths: Sequence[str]) -> Iterator[Path]:
    for text in paths:
        path = Path(text)
        if not path.exists():
            raise UsageError(f"no such file or folder: {text}")
        if path.is_file():
            yield path
            continue
        found = sorted(
            one
            for one in path.rglob("*")
            # The manifest and the rule's own JSON are no content.
            if one.suffix in SUFFIXES and one.is_file() and not one.name.startswith(".")
        )
        if not found:
            raise UsageError(f"{text} holds no {', '.join(SUFFIXES)}")
        yield from found


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
    yield from document_issues(document)
