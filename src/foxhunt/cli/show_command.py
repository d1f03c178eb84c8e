"""`foxhunt show`: all that is known about one value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from foxhunt.cli.options import Indicators, Out

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from foxhunt.cli.showing import Local
    from foxhunt.errors import HuntError
    from foxhunt.feeds.asking import Answer
    from foxhunt.indicators.asked import Asked
    from foxhunt.snapshot_files import SnapshotBytes


def show_command(
    value: Annotated[
        str,
        typer.Argument(
            metavar="VALUE", help="Domain, URL, address, ip:port or hash, any spelling."
        ),
    ],
    *,
    indicators: Indicators = None,
    online: Annotated[
        bool, typer.Option("--online", help="Ask ThreatFox about it as well; needs the key.")
    ] = False,
    c2: Annotated[
        bool,
        typer.Option("--c2", help="Ask ThreatFox what the sample with this hash talks to."),
    ] = False,
    limit: Annotated[
        int, typer.Option(min=0, metavar="N", help="At most N related indicators.")
    ] = 20,
    format_name: Annotated[
        Literal["table", "json"],
        typer.Option("--format", help="How to print it; values are defanged in the table only."),
    ] = "table",
    out: Out = None,
) -> None:
    """Show everything about one value: from the store, and from ThreatFox if asked.

    The store has the value itself, whether it counts now, and what is near it: on the same host or
    address, domains above that cover it, names and URLs below.

    Exit code 0 whether it is known or not; 3 if ThreatFox was to be asked and gave no answer.

    \b
      foxhunt show c2.texornacu[.]com
      foxhunt show 45.137.22.7 --online
      foxhunt show d1a63b4ac9ae9b2d0b6d1ff2d7e3c4a5 --c2
    """
    from datetime import UTC, datetime

    from foxhunt.home import default_home
    from foxhunt.snapshot_files import begin_current

    # Hashed while Arrow is imported.
    begun = None if indicators else begin_current(default_home())
    from foxhunt.cli.output import deliver
    from foxhunt.cli.showing import Shown, as_json, as_text
    from foxhunt.errors import HuntError, UsageError
    from foxhunt.indicators.asked import understood
    from foxhunt.indicators.validity import ValidityPolicy

    asked = understood(value)
    if c2 and not asked.is_hash:
        raise UsageError(f"--c2 wants a sample's hash, not {value[:80]!r}")
    local = _local(asked, indicators, limit, begun, is_enough=not (online or c2))
    answer, sample = _answers(asked, online=online, c2=c2)
    told = Shown(asked=asked, now=datetime.now(UTC), local=local, online=answer, sample=sample)
    write = as_json if format_name == "json" else as_text
    deliver(write(told, ValidityPolicy()), out)
    for failure in (answer, sample):
        if isinstance(failure, HuntError):
            raise failure


def _local(
    asked: Asked,
    files: Sequence[str] | None,
    limit: int,
    begun: SnapshotBytes | None,
    *,
    is_enough: bool,
) -> Local | None:
    """What the store or ``files`` have; None without a store, unless it is all that was asked."""
    from foxhunt.cli.listing import opened
    from foxhunt.cli.output import note
    from foxhunt.cli.showing import Local
    from foxhunt.errors import NoIndicatorsError
    from foxhunt.indicators.conditions import IsValue
    from foxhunt.indicators.lookup import SnapshotReader
    from foxhunt.indicators.related import related

    try:
        reader = opened(files, begun)
    except NoIndicatorsError as error:
        if is_enough:
            raise
        note(f"not looked for in the store: {error.message}")
        return None
    return Local(
        name=reader.name if isinstance(reader, SnapshotReader) else None,
        total=len(reader),
        indicators=reader.find([IsValue(asked)]).indicators(),
        related=related(reader, asked, limit),
        quarantined=reader.refused(asked.text),
    )


def _answers(
    asked: Asked, *, online: bool, c2: bool
) -> tuple[Answer | HuntError | None, Answer | HuntError | None]:
    """What ThreatFox says about the value, and what about the sample; each as far as asked."""
    if not (online or c2):
        return None, None
    import os

    from foxhunt.cli.output import note
    from foxhunt.errors import HuntError
    from foxhunt.feeds.asking import ask, ask_sample
    from foxhunt.feeds.client import ThreatFox
    from foxhunt.feeds.endpoints import Endpoints
    from foxhunt.feeds.secrets import threatfox_key
    from foxhunt.feeds.transport import Transport

    def tried(query: Callable[[ThreatFox, Asked], Answer]) -> Answer | HuntError:
        # Kept, so that what the store has is told before what could not be asked.
        try:
            transport = Transport(threatfox_key(os.environ), notify=note)
            client = ThreatFox(transport, Endpoints.from_environment(os.environ))
            return query(client, asked)
        except HuntError as error:
            return error

    return tried(ask) if online else None, tried(ask_sample) if c2 else None
