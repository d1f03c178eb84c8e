"""ES|QL as Elasticsearch reads it; needs pySigma and its backend for Elasticsearch.

The backend (2.1.1) escapes wildcards where ES|QL has none, which Elasticsearch refuses, says
nothing of case, and makes one flat chain of alternatives, which is refused from 400 on. Its
pipelines ask for Zeek's data alone, or for a field that Elastic's own parsing of Sysmon takes
away (elastic/beats, winlogbeat/module/sysmon/ingest/sysmon.yml, 2025); the names here are those
of ECS, which that parsing fills.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from sigma.backends.elasticsearch.elasticsearch_esql import ESQLBackend
from sigma.processing.conditions import LogsourceCondition
from sigma.processing.pipeline import ProcessingItem, ProcessingPipeline
from sigma.processing.transformations import (
    FieldMappingTransformation,
    HashesFieldsDetectionItemTransformation,
    SetStateTransformation,
)
from sigma.types import SigmaString, SpecialChars

from foxhunt.content.sigma_skeleton import Dialect

if TYPE_CHECKING:
    from sigma.conditions import ConditionFieldEqualsValueExpression, ConditionOR
    from sigma.conversion.base import Backend
    from sigma.conversion.deferred import DeferredQueryExpression
    from sigma.conversion.state import ConversionState

_INDICES = ["filebeat-*", "logs-*", "packetbeat-*", "winlogbeat-*"]
_FIELDS: dict[str | None, str | list[str]] = {
    "query": "dns.question.name",
    "cs-host": "url.domain",
    "c-uri": ["url.full", "url.original"],
    "dst_ip": "destination.ip",
    "dst_port": "destination.port",
}
_HASH_FIELDS = {"process_creation": "process.hash", "image_load": "file.hash"}
_NOT_TEXT = frozenset({"destination.ip", "destination.port"})
# Elasticsearch nests an expression as deep as its chain is long, and refuses 400 levels
# (elastic/elasticsearch#111186, 2024): chains of chains stay far below, side by side too.
_MOST_IN_CHAIN = 50
_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"})
_ESCAPED = re.compile(r'[\\"\n\r\t]')


def quoted(text: str) -> str:
    r"""A text as ES|QL's string (EsqlBaseLexer.g4, ``QUOTED_STRING``, 2025).

    >>> print(quoted('a"b\\c?'))
    "a\"b\\c?"
    """
    # Most have none of them, and to look is faster than to translate.
    return f'"{text.translate(_ESCAPES) if _ESCAPED.search(text) else text}"'


def chained(alternatives: list[str]) -> str:
    """Alternatives, of which any one will do, without a long chain."""
    while len(alternatives) > _MOST_IN_CHAIN:
        alternatives = [
            f"({' or '.join(alternatives[start : start + _MOST_IN_CHAIN])})"
            for start in range(0, len(alternatives), _MOST_IN_CHAIN)
        ]
    return " or ".join(alternatives)


class EsqlBackend(ESQLBackend):
    """Sigma's comparisons as ES|QL says them: without case, and in strings that it reads."""

    def escape_and_quote_field(self, field_name: str) -> str:
        """A field, as it is compared."""
        field = super().escape_and_quote_field(field_name)
        return field if field_name in _NOT_TEXT else f"to_lower({field})"

    def convert_value_str(self, s: SigmaString, state: ConversionState) -> str:
        """A text without wildcards; pySigma refuses any that it has no word for."""
        plain = s.convert(escape_char=None, wildcard_multi=None, wildcard_single=None)
        return quoted(plain.lower())

    def convert_condition_field_eq_val_str(
        self, cond: ConditionFieldEqualsValueExpression, state: ConversionState
    ) -> str | DeferredQueryExpression:
        """A text or its beginning or end, as pySigma says them.

        It compiles each value as a regular expression besides, for backends that use one: half
        of the time that a long list takes.
        """
        match cond.value.s if isinstance(cond.value, SigmaString) else ():
            case [str(text)]:
                form = self.eq_expression
            case [SpecialChars.WILDCARD_MULTI, str(text)]:
                form = self.endswith_expression
            case [str(text), SpecialChars.WILDCARD_MULTI]:
                form = self.startswith_expression
            case _:
                return super().convert_condition_field_eq_val_str(cond, state)
        return form.format(
            field=self.escape_and_quote_field(cond.field), value=quoted(text.lower()), backend=self
        )

    def convert_condition_or(self, cond: ConditionOR, state: ConversionState) -> str:
        """Alternatives in short chains."""
        return chained(
            [
                str(
                    self.convert_condition(arg, state)
                    if self.compare_precedence(cond, arg)
                    else self.convert_condition_group(arg, state)
                )
                for arg in cond.args
            ]
        )


def backend() -> Backend:
    """The backend, with names of ECS."""
    algorithms = ["MD5", "SHA1", "SHA256"]
    hashes = [
        ProcessingItem(
            HashesFieldsDetectionItemTransformation(algorithms, field_prefix=f"{field}."),
            rule_conditions=[LogsourceCondition(category=category)],
        )
        for category, field in _HASH_FIELDS.items()
    ]
    names: dict[str | None, str | list[str]] = {
        f"{field}.{algorithm}": f"{field}.{algorithm.lower()}"
        for field in _HASH_FIELDS.values()
        for algorithm in algorithms
    }
    return EsqlBackend(
        ProcessingPipeline(
            items=[
                *hashes,
                ProcessingItem(FieldMappingTransformation(_FIELDS | names)),
                ProcessingItem(SetStateTransformation("index", _INDICES)),
            ]
        )
    )


@lru_cache(maxsize=50_000)  # the same in the queries of several log sources
def literal(text: str) -> str:
    """A text within quotes, in the case in which texts are compared."""
    return quoted(text.lower())[1:-1]


@cache  # what it converted is kept
def dialect() -> Dialect:
    """ES|QL, of any number of values."""
    return Dialect(
        backend=backend(),
        literal=literal,
        alternative=" or ",
        chained=chained,
        by_algorithm=("process", "image"),
    )
