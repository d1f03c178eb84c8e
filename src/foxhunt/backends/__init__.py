"""Backends: a rule as text in one query language. The table below is the whole plug-in system."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Protocol, cast

from foxhunt.exclusions import Exclusion
from foxhunt.rules import Rule

_BACKENDS = {"kql": "foxhunt.backends.kql"}


@dataclass(frozen=True, slots=True)
class Query:
    """One query of a rule.

    Attributes:
        table: The table it reads.
        columns: The columns indicators are looked up in.
        heading: What it hunts for, in a few words.
        text: The query; ends without a line break.
    """

    table: str
    columns: tuple[str, ...]
    heading: str
    text: str


class Backend(Protocol):
    """What a backend module must provide."""

    def compile_rule(self, rule: Rule, exclusions: Sequence[Exclusion] = ()) -> Iterator[Query]:
        """Compile ``rule``, one query for each kind of indicator and table.

        Rows that an exclusion covers are left out by a marked block that says why; an
        exclusion that the table cannot answer for is named there and left out itself.

        Must be pure and deterministic: the same rule gives the same bytes.

        Raises:
            UnsupportedError: The rule cannot be said exactly in this language.
        """
        ...


def backend_names() -> tuple[str, ...]:
    """Names `get_backend` accepts, sorted."""
    return tuple(sorted(_BACKENDS))


def get_backend(name: str) -> Backend:
    """Import the backend called ``name``.

    Raises:
        KeyError: Unknown name; the message lists the known ones.
    """
    if name not in _BACKENDS:
        raise KeyError(f"unknown backend {name!r}; known: {', '.join(backend_names())}")
    # A module with the protocol's function satisfies it; import_module's type cannot say so.
    return cast(Backend, import_module(_BACKENDS[name]))
