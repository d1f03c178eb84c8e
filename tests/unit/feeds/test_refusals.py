"""How long a server asks to wait, in both forms of Retry-After."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest

from foxhunt.feeds.refusals import retry_after_seconds

NOW = "Tue, 14 Jul 2026 08:24:11 GMT"


def seconds(text: str, date: str = NOW) -> float | None:
    headers = httpx.Headers([(b"Retry-After", text.encode()), (b"Date", date.encode())])
    return retry_after_seconds(headers)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0", 0.0),
        (" 120 ", 120.0),
        ("999999999", 999999999.0),
        ("Tue, 14 Jul 2026 08:25:11 GMT", 60.0),
        ("Tuesday, 14-Jul-26 08:25:11 GMT", 60.0),
        ("Tue, 14 Jul 2026 08:00:00 GMT", 0.0),
        ("-5", None),
        ("1.5", None),
        ("٣", None),
        ("9" * 400, None),
        ("soon", None),
        ("", None),
        ("Tue, 99 Jul 2026 08:25:11 GMT", None),
        ("Tue, 14 Jul 99999999999 08:25:11 GMT", None),
    ],
)
def test_what_a_server_asks_is_read_or_ignored(text: str, expected: float | None) -> None:
    assert seconds(text) == expected


def test_without_the_server_s_date_our_clock_counts() -> None:
    then = datetime.now(UTC) + timedelta(seconds=100)

    wait = seconds(format_datetime(then, usegmt=True), date="broken")

    assert wait is not None
    assert 90 < wait <= 100


def test_no_header_asks_nothing() -> None:
    assert retry_after_seconds(httpx.Headers()) is None
