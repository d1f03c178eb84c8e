"""Which of two records of one identity stays, and what a newer set changes in an older one.

Tables are those of `foxhunt.indicators.collection.SCHEMA`; identity is ``(source, source_id)``.
"""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

_IDENTITY = ["source", "source_id"]
# Labels and ids hold no control characters (`foxhunt.feeds.threatfox`), so it separates.
_SEPARATOR = "\x1f"
_TIMES = ("first_seen", "last_seen")
_TRUE = pa.scalar(True, pa.bool_())
_DIGITS = pa.scalar(19, pa.int32())  # of the smallest number that may be too large for 64 bits


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What a newer set does to an older one; the five add up to the newer one's size.

    Attributes:
        new: Identities that the older set does not have.
        re_seen: Records of which only ``last_seen`` differs.
        changed: Records of which anything else differs.
        unchanged: Records that are the same in both.
        older: Records that were last active before the older set's; they are not taken.
    """

    new: int = 0
    re_seen: int = 0
    changed: int = 0
    unchanged: int = 0
    older: int = 0


def latest(table: pa.Table) -> pa.Table:
    """Of each identity the record that was last active, of equally late ones the later row.

    A record's activity is the later of ``first_seen`` and ``last_seen``. An export of last
    week that is read after today's therefore takes nothing back.
    """
    if _are_distinct_numbers(table["source_id"]):
        return table
    identities = table.select(_IDENTITY)
    if identities.group_by(_IDENTITY).aggregate([]).num_rows == table.num_rows:
        return table
    # Arrow's sort is stable: equally late rows stay in order (Arrow docs, sort_indices, 2025-07).
    order = pc.sort_indices(_activity(table))
    ranked = identities.take(order).append_column("rank", _range(table.num_rows))
    winners = ranked.group_by(_IDENTITY).aggregate([("rank", "max")])["rank_max"]
    return table.take(order.take(winners.combine_chunks().sort()))


def merged(older: pa.Table, newer: pa.Table) -> pa.Table:
    """`latest` of both, one after the other; no identity stands twice in either.

    Rows of ``newer`` come last: the result is in no order.
    """
    if not newer.num_rows or older.equals(newer):
        return older
    if not older.num_rows:
        return newer
    found = _places(older, newer)
    before = _activity(older).take(found)
    # Equally late, the newer one stays; where there is none before, it is new.
    is_taken = pc.fill_null(pc.greater_equal(_activity(newer), before), _TRUE)
    replaced = found.filter(is_taken).drop_null().cast(pa.int64())
    marks = pa.repeat(_TRUE, len(replaced))
    is_kept = pc.is_null(pc.scatter(marks, replaced, max_index=older.num_rows - 1))
    return pa.concat_tables([older.filter(is_kept), newer.filter(is_taken)])


def difference(older: pa.Table, newer: pa.Table, fields: tuple[str, ...]) -> Difference:
    """Count what ``newer`` changes in ``older``; no identity stands twice in either.

    Args:
        older: What there is.
        newer: What is merged into it.
        fields: Columns that are compared.
    """
    if older.equals(newer):
        return Difference(unchanged=newer.num_rows)
    found = _places(older, newer)
    compared = [*fields, *(name for name in _TIMES if name not in fields)]
    known = newer.select(compared).filter(pc.is_valid(found))
    before = older.select(compared).take(found.drop_null())
    is_older = pc.less(_activity(known), _activity(before))
    same = {name: same_values(known[name], before[name]) for name in fields}
    same_last_seen = same.pop("last_seen")
    rest_same = pa.chunked_array([pa.repeat(_TRUE, known.num_rows)])
    for column in same.values():
        rest_same = pc.and_(rest_same, column)
    not_older = pc.invert(is_older)
    taken_same = pc.and_(not_older, rest_same)
    unchanged = _count(pc.and_(taken_same, same_last_seen))
    older_count = _count(is_older)
    return Difference(
        new=newer.num_rows - known.num_rows,
        re_seen=_count(taken_same) - unchanged,
        changed=known.num_rows - older_count - _count(taken_same),
        unchanged=unchanged,
        older=older_count,
    )


def identity_keys(table: pa.Table) -> pa.ChunkedArray:
    """The identity of each row as one text."""
    return pc.binary_join_element_wise(table["source"], table["source_id"], _SEPARATOR)


def _places(older: pa.Table, newer: pa.Table) -> pa.Array:
    """Where in ``older`` the identity of each row of ``newer`` is; null where it is not."""
    if older["source"].slice(0, 1) == newer["source"].slice(0, 1):
        values, wanted = _ids_of_one_feed(older), _ids_of_one_feed(newer)
    else:
        values = wanted = None
    if values is None or wanted is None:
        values, wanted = identity_keys(older), identity_keys(newer)
    return pc.index_in(wanted, value_set=values.combine_chunks()).combine_chunks()


def _ids_of_one_feed(table: pa.Table) -> pa.ChunkedArray | None:
    """The ids as numbers, which are found faster than texts; None if they are no identities."""
    ids = table["source_id"]
    if pc.count_distinct(table["source"]).as_py() != 1:
        return None
    # Numbers that no other text is: not "07", nothing of more digits than a number has.
    is_number = pc.and_(pc.ascii_is_decimal(ids), pc.invert(pc.starts_with(ids, "0")))
    is_short = pc.less(pc.binary_length(ids), _DIGITS)
    is_plain = pc.all(pc.and_(is_number, is_short)).as_py()
    return ids.cast(pa.int64()) if is_plain else None


def _are_distinct_numbers(ids: pa.ChunkedArray) -> bool:
    """Whether ids are all numbers, no two the same: looked up in a third of the time of texts."""
    try:
        numbers = ids.cast(pa.int64())
    except pa.ArrowInvalid:
        return False
    return bool(pc.count_distinct(numbers).as_py() == len(ids))


def _activity(table: pa.Table) -> pa.ChunkedArray:
    # As numbers: Arrow has no maximum of times with a zone (26.0).
    first, last = (table[name].cast(pa.int64()) for name in _TIMES)
    return pc.max_element_wise(first, last, skip_nulls=True)


def _range(length: int) -> pa.Array:
    return pa.array(range(length), pa.int64())


def _count(claims: pa.ChunkedArray) -> int:
    return int(pc.sum(claims).as_py() or 0)


def same_values(left: pa.ChunkedArray, right: pa.ChunkedArray) -> pa.ChunkedArray:
    """Whether two columns are equal row by row; null equals null alone."""
    if pa.types.is_list(left.type):
        # Arrow compares no lists; a word with a control character is none of a feed's.
        # No list is an empty one, as in `Indicator`.
        joined = (pc.binary_join(column, _SEPARATOR) for column in (left, right))
        left, right = (pc.fill_null(column, "") for column in joined)
    both_null = pc.and_(pc.is_null(left), pc.is_null(right))
    return pc.or_(both_null, pc.fill_null(pc.equal(left, right), False))
