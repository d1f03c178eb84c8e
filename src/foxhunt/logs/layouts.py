"""How the lines of a text file are cut into fields, for what looks at bytes alone."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from foxhunt.logs.fields import Fields
    from foxhunt.logs.json_lines import Template
    from foxhunt.logs.text_blocks import Block


class Layout(Protocol):
    """The form of the records of one file, each of which is a line."""

    @property
    def header(self) -> int:
        """How many lines come before the first record."""
        ...

    @property
    def told(self) -> Collection[str]:
        """Columns whose value is the text of one field."""
        ...

    @property
    def untold(self) -> Collection[str]:
        """Columns whose value is made of fields in another way."""
        ...

    @property
    def seen(self) -> Collection[str]:
        """Columns that the first records have."""
        ...

    def fields(self, block: Block, names: Collection[str]) -> Fields:
        """Where the values of some columns are.

        Raises:
            IrregularError: The lines are no records of this form.
        """
        ...

    def records(self, last: bytes) -> bytes:
        """The last lines of the file without those that are no records."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Delimited:
    """Fields between delimiters; see `Layout`.

    Attributes:
        header: How many lines come before the first record.
        delimiter: Between fields, one byte.
        width: How many fields a record has.
        told: Column to the number of its field, from 0.
        untold: See `Layout`.
        is_quoted: Whether a field may stand in double quotes.
        unset: What stands for no value, one byte, or None.
        has_escapes: Whether a backslash may stand for another character.
        unusual: Bytes that no line may have.
        closing: What the last lines begin with that are no records, or None.
    """

    header: int
    delimiter: bytes
    width: int
    told: Mapping[str, int]
    untold: Collection[str] = ()
    is_quoted: bool = False
    unset: bytes | None = None
    has_escapes: bool = False
    unusual: bytes = b""
    closing: bytes | None = None

    @property
    def seen(self) -> Collection[str]:
        """See `Layout`."""
        return self.told

    def fields(self, block: Block, names: Collection[str]) -> Fields:
        """See `Layout`."""
        from foxhunt.logs.delimited import fields_of  # with numpy, which few hunts need

        return fields_of(block, self, names)

    def records(self, last: bytes) -> bytes:
        """See `Layout`."""
        while self.closing is not None and last:
            start = last.rfind(b"\n", 0, -1) + 1
            if not last[start:].startswith(self.closing):
                break
            last = last[:start]
        return last


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonLines:
    """A JSON object a line; see `Layout`.

    Attributes:
        told: Column to the name of its member.
        seen: See `Layout`.
        untold: See `Layout`.
        fixed: Members whose value is the same in all lines that are told of, if they have one.
        telling: Members of which the first that has a value says whether the line is told of;
            one of ``fixed`` says so before them. Without any all lines are.
        unwanted: Members that no line has that is told of.
        templates: What lines look like around their values; grows while lines are read.
    """

    told: Mapping[str, str]
    seen: Collection[str]
    untold: Collection[str] = ()
    fixed: Mapping[str, str] = field(default_factory=dict)
    telling: Mapping[str, bool] = field(default_factory=dict)
    unwanted: Collection[str] = ()
    templates: list[Template] = field(default_factory=list)

    @property
    def header(self) -> int:
        """See `Layout`."""
        return 0

    def fields(self, block: Block, names: Collection[str]) -> Fields:
        """See `Layout`."""
        from foxhunt.logs.json_lines import fields_of  # with numpy, which few hunts need

        return fields_of(block, self, names)

    def records(self, last: bytes) -> bytes:
        """See `Layout`."""
        return last
