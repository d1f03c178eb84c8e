"""Splunk SPL and Elastic ES|QL, by the backends that the Sigma project keeps.

They are an extra of this package: ``pip install 'foxhunt[sigma]'``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from foxhunt.content.model import ContentFile, Subject
from foxhunt.content.notes import plain
from foxhunt.content.sigma import files
from foxhunt.errors import UsageError

if TYPE_CHECKING:
    from sigma.collection import SigmaCollection
    from sigma.conversion.base import Backend


def splunk(subject: Subject) -> Iterator[ContentFile]:
    """SPL; see `foxhunt.content.Content`.

    Raises:
        UsageError: pySigma's backend is not installed.
    """
    try:
        from sigma.backends.splunk.splunk import SplunkBackend
    except ImportError as error:
        raise _missing("splunk") from error
    text = _converted(subject, SplunkBackend, lambda line: f"```{line.replace('`', ' ')}```")
    yield ContentFile("rule.spl", text)


def esql(subject: Subject) -> Iterator[ContentFile]:
    """ES|QL; see `foxhunt.content.Content`.

    Raises:
        UsageError: pySigma's backend is not installed.
    """
    try:
        from sigma.backends.elasticsearch.elasticsearch_esql import ESQLBackend
    except ImportError as error:
        raise _missing("elasticsearch") from error
    yield ContentFile("rule.esql", _converted(subject, ESQLBackend, lambda line: f"// {line}"))


def _missing(name: str) -> UsageError:
    return UsageError(
        f"pysigma-backend-{name} is not installed", hint="pip install 'foxhunt[sigma]'"
    )


def _converted(
    subject: Subject, backend: Callable[[], Backend], comment: Callable[[str], str]
) -> str:
    """One query a log source, each with a comment; fields are named as Sigma names them."""
    rule = subject.rule
    blocks = []
    for file in files(subject):
        collection = _collection(file.text)
        (query,) = backend().convert(collection)
        title = plain(str(collection.rules[0].title))
        heading = f"{title}. ThreatFox: {plain(rule.name)} ({plain(rule.malware)})"
        heads = [line.removeprefix("# ") for line in file.text.split("\n") if line.startswith("# ")]
        left = [line for line in heads if line.startswith("Left out")]
        note = "Fields are named as in Sigma: map them to your own."
        blocks.append("\n".join([*map(comment, [heading, note, *left]), str(query)]))
    return "\n\n".join(blocks) + "\n"


def _collection(text: str) -> SigmaCollection:
    from sigma.collection import SigmaCollection

    return SigmaCollection.from_yaml(text)
