"""R4: spellings of one URL share a key, and no log makes reading one fail."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from foxhunt.indicators import IndicatorType, UrlKey, continues_at_border, parse, url_key

from ..strategies import domain_names, hostile_text, ports, url_paths, urls

DEFAULT_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443, "ftp": 21}
SCHEMES = st.sampled_from(sorted(DEFAULT_PORTS))
FOREIGN = st.sampled_from(["tcp", "udp", "ldap", "smb", "httpx", "h2"])


def key_of(text: str) -> UrlKey:
    key = url_key(text)
    assert key is not None, text
    return key


@given(hostile_text())
def test_no_logged_text_makes_reading_it_fail(text: str) -> None:
    key = url_key(text)

    assert key is None or (key.host and key.host == key.host.lower())


@given(urls())
def test_a_url_has_the_key_of_its_canonical_text(text: str) -> None:
    assert key_of(text) == key_of(parse(text, IndicatorType.URL))


@given(SCHEMES, SCHEMES, domain_names(), url_paths())
def test_the_scheme_is_no_part_of_the_key(one: str, other: str, host: str, path: str) -> None:
    assert key_of(f"{one}://{host}{path}") == key_of(f"{other.upper()}://{host}{path}")


@given(SCHEMES, domain_names(), url_paths())
def test_the_schemes_own_port_is_no_part_of_the_key(scheme: str, host: str, path: str) -> None:
    port = DEFAULT_PORTS[scheme]

    assert key_of(f"{scheme}://{host}:{port}{path}") == key_of(f"{scheme}://{host}{path}")


@given(SCHEMES, domain_names(), ports(), url_paths())
def test_any_other_port_is(scheme: str, host: str, port: int, path: str) -> None:
    expected = "" if port == DEFAULT_PORTS[scheme] else str(port)

    assert key_of(f"{scheme}://{host}:{port}{path}").port == expected


@given(FOREIGN, domain_names(), ports(), url_paths())
def test_a_scheme_that_is_not_the_webs_has_no_port_of_its_own(
    scheme: str, host: str, port: int, path: str
) -> None:
    key = key_of(f"{scheme}://{host}:{port}{path}")

    assert (key.host, key.port) == (host, str(port))
    assert key.path == key_of(f"http://{host}{path}").path


@given(FOREIGN, domain_names(), url_paths())
def test_and_without_a_port_it_has_none(scheme: str, host: str, path: str) -> None:
    assert key_of(f"{scheme}://{host}{path}") == key_of(f"http://{host}{path}")


@given(domain_names(), ports(), url_paths())
def test_without_a_scheme_both_web_ports_are_left_out(host: str, port: int, path: str) -> None:
    expected = "" if port in (80, 443) else str(port)

    assert key_of(f"{host}:{port}{path}").port == expected


@given(urls(), st.text("abc#?/&=", max_size=8), st.sampled_from(["u", "u:p", "admin:%40"]))
def test_credentials_and_fragment_are_no_part_of_the_key(
    text: str, fragment: str, user: str
) -> None:
    scheme, _, rest = text.partition("://")

    assert key_of(f"{scheme}://{user}@{rest}#{fragment}") == key_of(text)


@given(urls())
def test_a_key_written_out_reads_as_itself(text: str) -> None:
    """With a scheme that has no port of its own nothing is left out twice."""
    key = key_of(text)

    assert key_of(f"tcp://{key}") == key


@given(url_paths(), st.text("abz/?&#", max_size=6))
def test_a_longer_path_goes_on_only_at_a_border(path: str, more: str) -> None:
    goes_on = continues_at_border(path + more, path)

    assert goes_on == bool(more and (path[-1] in "/?&" or more[0] in "/?#&"))
