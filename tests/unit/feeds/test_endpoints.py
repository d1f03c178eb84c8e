"""Base URLs from the environment: a mirror is asked, a key in the clear is not sent."""

from __future__ import annotations

import pytest

from foxhunt.errors import UsageError
from foxhunt.feeds.endpoints import Endpoints, base_url

VARIABLES = {
    "FOXHUNT_THREATFOX_API": "api",
    "FOXHUNT_THREATFOX_EXPORTS": "exports",
    "FOXHUNT_THREATFOX_FILES": "files",
    "FOXHUNT_ABUSECH_HUNTING": "hunting",
}


def test_without_variables_abuse_ch_itself_is_asked() -> None:
    endpoints = Endpoints.from_environment({"FOXHUNT_THREATFOX_API": " "})

    assert endpoints == Endpoints()
    assert endpoints.api == "https://threatfox-api.abuse.ch/api/v1/"
    assert endpoints.exports == "https://threatfox.abuse.ch/export/"


@pytest.mark.parametrize(("variable", "field"), VARIABLES.items())
def test_each_variable_moves_its_own_endpoint(variable: str, field: str) -> None:
    endpoints = Endpoints.from_environment({variable: "https://mirror.example/tf"})

    assert getattr(endpoints, field) == "https://mirror.example/tf/"
    others = set(VARIABLES.values()) - {field}
    assert all(getattr(endpoints, name) == getattr(Endpoints(), name) for name in others)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://mirror.example", "https://mirror.example/"),
        ("https://mirror.example:8443/a/b/", "https://mirror.example:8443/a/b/"),
        ("http://127.0.0.1:8080/api", "http://127.0.0.1:8080/api/"),
        ("http://localhost/", "http://localhost/"),
        ("http://[::1]:8080/", "http://[::1]:8080/"),
    ],
)
def test_a_base_url_gets_its_slash(text: str, expected: str) -> None:
    assert base_url(text, "VARIABLE") == expected


@pytest.mark.parametrize(
    "text",
    [
        "http://mirror.example/",
        "http://127.0.0.1.evil.example/",
        "http://0.0.0.0/",
        "ftp://127.0.0.1/",
        "file:///etc/passwd",
        "mirror.example/api",
        "https://",
        "https:///api",
        "https://mirror..example/",
        f"https://{'a' * 64}.example/",
        "https://mirror.example/?key=1",
        "https://mirror.example/?",
        "https://mirror.example/#top",
        "https://mirror.example:port/",
        "https://[::1/",
        "https://mirror.example/\x00",
    ],
)
def test_what_may_not_be_asked_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="VARIABLE"):
        base_url(text, "VARIABLE")


@pytest.mark.parametrize(
    "text",
    [
        "https://user:hunter2@mirror.example/",
        "https://user:hunter2@mirror:x/",
        "https://u:hunter2/x@m/",
    ],
)
def test_credentials_are_refused_without_being_quoted(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        base_url(text, "VARIABLE")

    assert "hunter2" not in str(caught.value)
