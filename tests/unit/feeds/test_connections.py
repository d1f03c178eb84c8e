"""Proxies of the environment, certificates, and who is asked through what."""

from __future__ import annotations

import ssl
import subprocess
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from foxhunt.errors import NetworkError, UsageError
from foxhunt.feeds.connections import KEY_MARK, KeyPlace, proxy_for
from foxhunt.feeds.transport import Wanted

from .http_play import HASTE, KEY, answer, drip, playing, transport

PROXY = "http://proxy.example:3128"


@pytest.fixture(autouse=True)
def _no_proxy_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def proxy_of(url: str) -> str | None:
    proxy = proxy_for(httpx.URL(url))
    return str(proxy.url) if proxy else None


def test_without_a_variable_there_is_no_proxy() -> None:
    assert proxy_of("https://threatfox.abuse.ch/") is None


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
@pytest.mark.parametrize("address", [PROXY, "proxy.example:3128"])
def test_the_environment_names_the_proxy(
    monkeypatch: pytest.MonkeyPatch, variable: str, address: str
) -> None:
    monkeypatch.setenv(variable, address)

    assert proxy_of("https://threatfox.abuse.ch/") == PROXY


def test_no_proxy_names_what_is_asked_directly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", PROXY)
    monkeypatch.setenv("NO_PROXY", "localhost,.abuse.ch")

    assert proxy_of("https://threatfox.abuse.ch/") is None
    assert proxy_of("https://mirror.example/") == PROXY


@pytest.mark.parametrize("url", ["http://127.0.0.1:8080/", "http://localhost/", "http://[::1]/"])
def test_this_machine_is_never_asked_through_a_proxy(
    monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("ALL_PROXY", PROXY)
    monkeypatch.setenv("HTTP_PROXY", PROXY)

    assert proxy_of(url) is None


@pytest.mark.parametrize(
    "address",
    ["socks5://user:hunter2@p:1080", "http://user:hunter2@[::", "http://a..b:1", "ftp://p"],
)
def test_what_is_no_http_proxy_is_refused_without_its_password(
    monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", address)

    with pytest.raises(UsageError, match="HTTPS_PROXY") as caught:
        proxy_of("https://threatfox.abuse.ch/")

    assert "hunter2" not in str(caught.value)


def test_a_proxy_sees_the_host_and_neither_the_key_nor_the_path(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    refused = answer(b"", status="407 Proxy Authentication Required")
    with playing(refused) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url.replace("http://", "http://user:hunter2@"))
        wanted = Wanted(
            name="test", url=f"https://files.example/{KEY_MARK}/full.zip", key=KeyPlace.PATH
        )
        with pytest.raises(NetworkError, match=r"files\.example cannot be reached: 407") as caught:
            transport().fetch(wanted, tmp_path / "full.zip")

    assert proxy.requests[0].startswith(b"CONNECT files.example:443 HTTP/1.1\r\n")
    assert KEY.encode() not in b"".join(proxy.requests)
    assert "hunter2" not in str(caught.value)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of 127.0.0.1 that nobody signed but itself, with its key."""
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    command = [
        *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
        *("-nodes", "-days", "2", "-subj", "/CN=foxhunt test", "-keyout", str(path)),
        *("-addext", "subjectAltName=IP:127.0.0.1"),
    ]
    try:
        made = subprocess.run(command, check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("TLS NOT TESTED: no openssl to make a certificate with")
    path.write_bytes(path.read_bytes() + made.stdout)
    return path


@pytest.fixture
def tls(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


def test_a_certificate_that_is_not_trusted_is_refused_before_the_key_is_sent(
    tls: ssl.SSLContext, tmp_path: Path
) -> None:
    with playing(answer(b"{}"), tls=tls) as server:
        wanted = Wanted(name="test", url=server.url, key=KeyPlace.HEADER)
        with pytest.raises(NetworkError, match=r"certificate of 127\.0\.0\.1.*SSL_CERT_FILE"):
            transport().fetch(wanted, tmp_path / "file")

    assert (server.connections, server.requests) == (1, [])


def test_a_certificate_named_in_the_environment_is_trusted(
    tls: ssl.SSLContext, certificate: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))

    with playing(answer(b"{}"), tls=tls) as server:
        transport().fetch(Wanted(name="test", url=server.url), tmp_path / "file")

    assert (tmp_path / "file").read_bytes() == b"{}"


def test_a_dripping_server_is_left_at_the_deadline_over_tls_too(
    tls: ssl.SSLContext, certificate: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))

    with (
        playing(drip(b"HTTP/1.1 200 OK\r\nX: "), tls=tls) as server,
        pytest.raises(NetworkError, match="no whole answer within"),
    ):
        transport(replace(HASTE, total_seconds=0.3)).fetch(
            Wanted(name="test", url=server.url), tmp_path / "file"
        )
