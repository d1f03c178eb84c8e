"""A text column of a Parquet file as Arrow arrays, a row group at a time and in any thread."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

_TEXTS = (pa.string(), pa.large_string())
_BATCH_ROWS = 1 << 17
# A chunk with a dictionary whose values take more bytes each holds few of them twice, or its
# writer gave the dictionary up on the way: then it is read faster as texts.
_BYTES_OF_NUMBERS = 4


class TextColumn:
    """One column whose values are texts.

    Attributes:
        groups: How many row groups the file has.
    """

    def __init__(self, path: Path, name: str) -> None:
        """Read the file's footer.

        Args:
            path: The file.
            name: The column's name in it.

        Raises:
            ValueError: It has no such column, several, or one that does not hold plain text.
            pa.ArrowException: It cannot be read.
            OSError: It cannot be opened.
        """
        with pq.ParquetFile(path) as file:
            self._metadata = file.metadata
            at = file.schema_arrow.get_field_index(name)
            # A dot leads into a nested column: what has one in its name cannot be asked for.
            if at < 0 or "." in name or file.schema_arrow.field(at).type not in _TEXTS:
                raise ValueError(f"no column of texts: {name[:80]!r}")
        self._path, self._name = path, name
        leaves = self._metadata.schema
        # There are no two of that path, or Arrow had found several columns.
        self._leaf = next(at for at in range(len(leaves)) if leaves.column(at).path == name)
        self.groups = self._metadata.num_row_groups
        rows = (self._metadata.row_group(group).num_rows for group in range(self.groups))
        self._firsts = list(accumulate(rows, initial=0))

    def batches(self, group: int) -> Iterator[tuple[int, pa.Array]]:
        """Yield the values of one row group and the number, from 0, of the first one's record.

        They are an array of texts, or one of numbers with a dictionary of texts where the file
        has them so and many values are the same.

        Raises:
            pa.ArrowException: They cannot be read.
            OSError: So it is.
        """
        first = self._firsts[group]
        coded = [self._name] if self._is_coded(group) else None
        with pq.ParquetFile(self._path, metadata=self._metadata, read_dictionary=coded) as file:
            for batch in file.iter_batches(
                _BATCH_ROWS, row_groups=[group], columns=[self._name], use_threads=False
            ):
                yield first, batch.column(0)
                first += batch.num_rows

    def _is_coded(self, group: int) -> bool:
        chunk = self._metadata.row_group(group).column(self._leaf)
        most = chunk.num_values * _BYTES_OF_NUMBERS
        return bool(chunk.has_dictionary_page and chunk.total_uncompressed_size <= most)
