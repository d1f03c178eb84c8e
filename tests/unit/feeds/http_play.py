"""Servers on loopback for the tests: one that says exactly these bytes, and one without waits."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from foxhunt.feeds.secrets import Secret
from foxhunt.feeds.transport import Patience, Transport, Wanted

# Not hex, so that nothing else in a message looks like it.
KEY = "kQ7zKEYtestKEYtest0001"
SECRET = Secret(KEY)
HASTE = Patience(
    attempts=3,
    wait_initial_seconds=0,
    wait_max_seconds=0,
    wait_jitter_seconds=0,
    retry_after_max_seconds=0,
    connect_seconds=2,
    read_seconds=2,
    total_seconds=10,
)
# What a connection is answered with: bytes, or a function that has the socket to itself.
Script = bytes | Callable[[socket.socket], None]


@dataclass(slots=True)
class Played:
    """A raw server: its address, its connections, and the requests it got, whole, in order."""

    url: str
    connections: int = 0
    requests: list[bytes] = field(default_factory=list)


@contextmanager
def playing(*scripts: Script, tls: ssl.SSLContext | None = None) -> Iterator[Played]:
    """Answer each connection with the next script, and close it; the last one is repeated."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.05)
        played = Played(f"{'https' if tls else 'http'}://127.0.0.1:{listener.getsockname()[1]}/")
        over = threading.Event()
        thread = threading.Thread(target=_serve, args=(listener, scripts, played, over, tls))
        thread.start()
        try:
            yield played
        finally:
            over.set()
            thread.join()


def _serve(
    listener: socket.socket,
    scripts: Sequence[Script],
    played: Played,
    over: threading.Event,
    tls: ssl.SSLContext | None,
) -> None:
    while not over.is_set():
        try:
            connection, _ = listener.accept()
        except TimeoutError:
            continue
        script = scripts[min(played.connections, len(scripts) - 1)]
        played.connections += 1
        with connection, suppress(OSError):  # the client may go away first
            connection.settimeout(2)
            if tls is None:
                _converse(connection, script, played)
            else:
                with tls.wrap_socket(connection, server_side=True) as wrapped:
                    _converse(wrapped, script, played)


def _converse(connection: socket.socket, script: Script, played: Played) -> None:
    played.requests.append(_request(connection))
    if isinstance(script, bytes):
        connection.sendall(script)
    else:
        script(connection)


def _request(connection: socket.socket) -> bytes:
    """One request, its body included."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(65536)
        if not piece:
            return data
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    length = next(
        (int(line[15:]) for line in head.split(b"\r\n") if line.lower()[:15] == b"content-length:"),
        0,
    )
    while len(body) < length:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


def answer(body: bytes, *headers: str, status: str = "200 OK", length: int | None = None) -> bytes:
    """An HTTP answer; ``length`` is what it says of its body's length, -1 for nothing."""
    told = len(body) if length is None else length
    lines = [f"HTTP/1.1 {status}", *headers]
    if told >= 0:
        lines.append(f"Content-Length: {told}")
    return "\r\n".join([*lines, "", ""]).encode() + body


def drip(first: bytes) -> Script:
    """Say ``first``, then a byte now and then: no single read ever times out."""

    def script(connection: socket.socket) -> None:
        connection.sendall(first)
        for _ in range(100):
            time.sleep(0.03)
            connection.sendall(b"x")

    return script


def transport(patience: Patience = HASTE, secret: Secret | None = SECRET) -> Transport:
    """One that does not wait."""
    return Transport(secret, patience)


def wanted(url: str, size_bytes: int = 1024 * 1024) -> Wanted:
    """A GET of ``url`` without the key."""
    return Wanted(name="test feed", url=url, size_bytes=size_bytes)


def only_file(folder: Path) -> Path:
    """The one file in ``folder``; it fails if anything else was left behind."""
    (file,) = folder.iterdir()
    return file
