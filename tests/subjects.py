"""Subjects of content, as tests make them."""

from __future__ import annotations

from collections.abc import Iterator

from foxhunt.content import Subject, get_content
from foxhunt.indicators import IndicatorSet
from foxhunt.rules import MatchMode, Rule, build_rules


def text_of(rule: Rule, format_name: str) -> str:
    """The rule in a format of one file."""
    (file,) = get_content(format_name)(Subject(rule=rule))
    return file.text


def subjects(indicators: IndicatorSet, mode: MatchMode = MatchMode.EXACT) -> Iterator[Subject]:
    """A subject for each family."""
    return (Subject(rule=rule) for rule in build_rules(indicators, mode))
