"""Distinct combinations: what a dictionary of rows would say."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foxhunt.engines import combinations as module
from foxhunt.engines.combinations import combinations

_ROWS = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", "", None]),
        st.sampled_from([1, -1, None]),
        st.sampled_from(["", "\x1f", "a"]),
    ),
    max_size=30,
)


Row = tuple[str | None, int | None, str]


@pytest.mark.parametrize("most_numbers", [module._MOST_NUMBERS, 4], ids=["plenty", "renumbered"])
@given(rows=_ROWS)
def test_rows_get_the_place_of_their_first_equal(most_numbers: int, rows: list[Row]) -> None:
    first: dict[Row, int] = {}
    expected = [first.setdefault(row, len(first)) for row in rows]
    columns = zip(*rows, strict=True) if rows else ((), (), ())
    types = (pa.string(), pa.int32(), pa.string())
    table = pa.table(
        {n: pa.array(list(c), t) for n, c, t in zip("xyz", columns, types, strict=True)}
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_MOST_NUMBERS", most_numbers)
        distinct, places = combinations(table)
    assert places.to_pylist() == expected
    assert [tuple(row.values()) for row in distinct.to_pylist()] == list(first)


def test_chunked_columns_are_one_column() -> None:
    chunks = pa.chunked_array([["a", "b"], [], ["a"]], pa.string())
    distinct, places = combinations(pa.table({"x": chunks}))
    assert (distinct["x"].to_pylist(), places.to_pylist()) == (["a", "b"], [0, 1, 0])
