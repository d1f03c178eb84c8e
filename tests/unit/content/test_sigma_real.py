"""Sigma, SPL and ES|QL of every family of a real feed."""

from __future__ import annotations

from pathlib import Path

import pytest

from foxhunt.content import Subject, get_content
from foxhunt.content.sigma_detection import texts
from foxhunt.feeds import read_indicators
from tests.subjects import subjects
from tests.unit.content.test_sigma import parsed
from tests.unit.content.test_sigma_backends import (
    MOST_ESQL_CHARACTERS,
    MOST_ESQL_DEPTH,
    esql_depth,
    esql_strings,
    spl_strings,
)


@pytest.fixture(scope="module")
def real(shared_data: Path) -> list[Subject]:
    """Every family of the last day."""
    feeds = sorted((shared_data / "threatfox" / "recent").glob("*.json.gz"))
    indicators, _ = read_indicators([str(feeds[-1])])
    found = list(subjects(indicators))
    assert len(found) > 50
    return found


def test_pysigma_reads_every_file(real: list[Subject]) -> None:
    rules = [parsed(file) for subject in real for file in get_content("sigma")(subject)]

    assert len({rule.id for rule in rules}) == len(rules)
    assert all(rule.detection.parsed_condition[0].parsed for rule in rules)


def test_every_value_is_in_a_query_that_elasticsearch_takes(real: list[Subject]) -> None:
    for subject in real:
        (file,) = get_content("esql")(subject)
        found = esql_strings(file.text)

        for one in subject.rule.indicators:
            assert {text.lower() for text in texts(one)[0]} <= found
        assert max(map(len, file.text.split("\n\n"))) < MOST_ESQL_CHARACTERS
        assert esql_depth(file.text) < MOST_ESQL_DEPTH


def test_every_value_without_an_asterisk_is_in_a_search(real: list[Subject]) -> None:
    for subject in real:
        (file,) = get_content("splunk")(subject)
        found = spl_strings(file.text)

        for one in subject.rule.indicators:
            if "*" not in one.value:
                assert set(texts(one)[0]) <= found
