"""What is taken apart once is what the parsers of indicators say."""

from __future__ import annotations

import pytest

from foxhunt.errors import ParseError
from foxhunt.indicators import is_shared, parse_ip_port, url_key
from foxhunt.rules.parsed import address_and_port, is_shared_host, key_of_url


@pytest.mark.parametrize("turn", [1, 2])
def test_the_second_answer_is_the_first(turn: int) -> None:
    for value in ("45.9.1.1:443", "[2a02::1]:80"):
        assert address_and_port(value) == parse_ip_port(value)
    for url in ("http://evil.org/a?b#c", "https://drive.google.com/x", "ftp://evil.org:21/"):
        assert key_of_url(url) == url_key(url)
    for host in ("duckdns.org", "evil.org"):
        assert is_shared_host(host) is is_shared(host)


def test_a_refusal_is_not_kept_as_an_answer() -> None:
    for _ in range(2):
        with pytest.raises(ParseError):
            address_and_port("45.9.1.1")
