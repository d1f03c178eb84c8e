"""Templates of Sysmon's columns: what they take out of odd texts."""

from __future__ import annotations

import re

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foxhunt.logs import sysmon
from foxhunt.logs.records import FIELD

(PROCESS,) = (one for one in sysmon.MAPPINGS if one.table == "DeviceProcessEvents")
SQL = FIELD.sub("$1", PROCESS.columns["AccountDomain"])


@pytest.mark.parametrize(
    "user", ["PC\\ann", "\\ann", "ann", "a\\b\\c", "", "é👍🏽\\x", "a\\", "\\\\"]
)
def test_the_domain_is_what_stands_before_the_last_backslash(user: str) -> None:
    ((domain,),) = duckdb.execute(f"SELECT {SQL}", [user]).fetchall()
    assert domain == (user.rpartition("\\")[0] or None)


@given(st.text(st.sampled_from("ab\\\n\r\0 -é👍\u200d\u0301"), max_size=8))
def test_the_domain_of_hostile_text_is_that_of_a_regular_expression(user: str) -> None:
    ((domain,),) = duckdb.execute(f"SELECT {SQL}", [user]).fetchall()
    found = re.match(r"(.*)\\", user)
    assert domain == (found[1] or None if found else None)
