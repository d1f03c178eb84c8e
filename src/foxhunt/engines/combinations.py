"""Distinct combinations of the values in a table's columns, exactly and in one pass a column."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pyarrow as pa
import pyarrow.compute as pc

# Numbers of combinations stay below this, far from the end of 64 bits.
_MOST_NUMBERS = 1 << 62


def combinations(rows: pa.Table) -> tuple[pa.Table, pa.Int64Array]:
    """Find the distinct rows of ``rows``, null being a value like any other.

    A column's values are numbered, side by side with other columns', and the numbers of a row
    combined into one; strings are hashed once, where a GROUP BY and a join over them hash and
    compare all of them again.

    Returns:
        The distinct rows, in the order in which they occur first; and for each row its place
        among them.

    >>> distinct, places = combinations(pa.table({"a": ["x", "y", "x"], "b": [1, None, 1]}))
    >>> distinct.to_pylist(), places.to_pylist()
    ([{'a': 'x', 'b': 1}, {'a': 'y', 'b': None}], [0, 1, 0])
    """
    places, count = pa.repeat(pa.scalar(0, pa.int64()), rows.num_rows), 1
    with ThreadPoolExecutor() as pool:
        for values in pool.map(_encoded, rows.columns):
            if count * len(values.dictionary) > _MOST_NUMBERS:
                places, count = _renumbered(places)
            places = pc.add(pc.multiply(places, len(values.dictionary)), values.indices)
            count *= len(values.dictionary)
    places, _ = _renumbered(places)
    # Numbers are given in the order of their first row, which is where the highest so far grows.
    highest = pc.cumulative_max(places)
    before = pa.concat_arrays([pa.array([-1], pa.int64()), highest])[: rows.num_rows]
    return rows.filter(pc.greater(highest, before)), places


def _renumbered(places: pa.Int64Array) -> tuple[pa.Int64Array, int]:
    """Number what occurs, without gaps; and say how many there are."""
    encoded = _encoded(places)
    return pc.cast(encoded.indices, pa.int64()), len(encoded.dictionary)


def _encoded(values: pa.Array | pa.ChunkedArray) -> pa.DictionaryArray:
    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks()
    return pc.dictionary_encode(values, null_encoding="encode")
