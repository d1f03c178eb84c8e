"""Zeek's logs as table rows: what the TSV and the JSON form share.

Field names as in Zeek's script reference (base/protocols/*/main.zeek, Zeek 6.0, 2023-05).
"""

from __future__ import annotations

from collections.abc import Collection

from foxhunt.logs.records import FIELD, KindMapping, addresses_sql
from foxhunt.sql import identifier, literal

# Zeek's id record has its dots in both of Zeek's own writers; exporters for stores that have no
# dots in names write underscores (the RockNSM sensor of OTRF's data sets).
ID_FIELDS = ("id.orig_h", "id.orig_p", "id.resp_h", "id.resp_p")
LIST_FIELDS = ("answers", "tx_hosts", "rx_hosts")
TEXT_FIELDS = (
    *("ts", "uid", *ID_FIELDS),
    *("query", "qtype_name", "rcode", "rcode_name", "rejected"),
    *("proto", "service", "orig_bytes", "resp_bytes", "conn_state", "local_orig", "local_resp"),
    *("method", "host", "uri", "referrer", "user_agent", "username", "status_code"),
    *("request_body_len", "server_name", "resumed"),
    *("source", "is_orig", "filename", "total_bytes", "seen_bytes", "md5", "sha1", "sha256"),
)

# A record without its log's name is told by a field that its log always has and no other log has.
TELLTALES = (
    ("rejected", "dns"),
    ("query", "dns"),
    ("request_body_len", "http"),
    ("conn_state", "conn"),
    ("resumed", "ssl"),
    ("seen_bytes", "files"),
)

TELLTALE_FIELDS = tuple(name for name, _ in TELLTALES)


def kind_of_fields(fields: Collection[str]) -> str | None:
    """The log that has ``fields``, or None."""
    return next((kind for field, kind in TELLTALES if field in fields), None)


def kind_sql(path: str) -> str:
    """SQL for a record's log: ``path`` (SQL) where it says so, else by its fields."""
    cases = " ".join(
        f"WHEN {identifier(field)} IS NOT NULL THEN {literal(kind)}" for field, kind in TELLTALES
    )
    return f"coalesce({path}, CASE {cases} END)"


def _is_true(field: str) -> str:
    return f"lower({field}) IN ('t', 'true')"


def _is_false(field: str) -> str:
    return f"lower({field}) IN ('f', 'false')"


def text_sql(field: str) -> str:
    """SQL: the text of a field, which is no value where it is empty."""
    return f"nullif({field}, '')"


def own_field(sql: str) -> str | None:
    """The field whose text, or whose addresses, a column is; None when there is more to it."""
    names = set(FIELD.findall(sql))
    if len(names) != 1:
        return None
    (name,) = names
    own = "{" + name + "}"
    is_own = sql == addresses_sql(own) if name in LIST_FIELDS else sql in (own, text_sql(own))
    return name if is_own else None


# Zeek cuts the port off the Host header (base/protocols/http/main.zeek), so it comes from the
# connection. A proxied request has its whole URL in uri, a CONNECT its host:port; "*" is no URL.
# An IPv6 Host header is cut at its first colon: what is left of it, "[2001", is no host.
_HOST = "CASE WHEN {host} <> '' AND NOT starts_with({host}, '[') THEN {host} END"
_SERVER = "CASE WHEN contains({id.resp_h}, ':') THEN '[' || {id.resp_h} || ']' ELSE {id.resp_h} END"
_PORT = (
    "CASE WHEN {id.resp_p} IS NULL OR {id.resp_p} = '80' "
    "OR regexp_matches({host}, '[^:]:[0-9]+$') THEN '' ELSE ':' || {id.resp_p} END"
)
_URL = (
    "CASE WHEN regexp_matches({uri}, '^[A-Za-z][A-Za-z0-9+.-]*://') OR {method} = 'CONNECT' "
    "THEN {uri} WHEN starts_with({uri}, '/') "
    f"THEN 'http://' || coalesce({_HOST}, {_SERVER}) || {_PORT} || {{uri}} END"
)

_CONNECTION = {
    "TimeGenerated": "{ts}",
    "DeviceVendor": "'Zeek'",
    "DeviceProduct": "'Zeek'",
    "SourceIP": "{id.orig_h}",
    "SourcePort": "{id.orig_p}",
    "DestinationIP": "{id.resp_h}",
    "DestinationPort": "{id.resp_p}",
    "DeviceExternalID": "{uid}",
}

# The side that got the file: its rx_hosts until Zeek 5.0, since then the connection's end that
# is not its sender. Of several receivers the first is taken.
_RECEIVER = (
    "coalesce({rx_hosts}[1], "
    f"CASE WHEN {_is_true('{is_orig}')} THEN {{id.resp_h}} "
    f"WHEN {_is_false('{is_orig}')} THEN {{id.orig_h}} END)"
)
_SENDER = (
    "coalesce({tx_hosts}[1], "
    f"CASE WHEN {_is_true('{is_orig}')} THEN {{id.orig_h}} "
    f"WHEN {_is_false('{is_orig}')} THEN {{id.resp_h}} END)"
)

MAPPINGS = (
    KindMapping(
        "dns",
        "DnsEvents",
        {
            "TimeGenerated": "{ts}",
            "ClientIP": "{id.orig_h}",
            "Name": text_sql("{query}"),
            "IPAddresses": addresses_sql("{answers}"),
            "QueryType": text_sql("{qtype_name}"),
            "ResultCode": text_sql("{rcode}"),
            "Result": text_sql("{rcode_name}"),
        },
    ),
    KindMapping(
        "conn",
        "CommonSecurityLog",
        {
            **_CONNECTION,
            "Activity": "'conn'",
            "Protocol": "{proto}",
            "ApplicationProtocol": text_sql("{service}"),
            # How the connection ended. REJ and S0 do not say that somebody blocked it, so no
            # DeviceAction comes from it.
            "EventOutcome": "{conn_state}",
            "SentBytes": "{orig_bytes}",
            "ReceivedBytes": "{resp_bytes}",
            "CommunicationDirection": (
                f"CASE WHEN {_is_true('{local_orig}')} AND {_is_false('{local_resp}')} "
                f"THEN 'Outbound' WHEN {_is_false('{local_orig}')} AND {_is_true('{local_resp}')} "
                "THEN 'Inbound' END"
            ),
        },
    ),
    KindMapping(
        "http",
        "CommonSecurityLog",
        {
            **_CONNECTION,
            "Activity": "'http'",
            "ApplicationProtocol": "'http'",
            "DestinationHostName": _HOST,
            "RequestURL": _URL,
            "RequestMethod": text_sql("{method}"),
            "RequestClientApplication": text_sql("{user_agent}"),
            "RequestContext": text_sql("{referrer}"),
            "SourceUserName": text_sql("{username}"),
            "EventOutcome": "{status_code}",
        },
    ),
    KindMapping(
        "ssl",
        "CommonSecurityLog",
        {
            **_CONNECTION,
            "Activity": "'ssl'",
            "ApplicationProtocol": "'ssl'",
            "DestinationHostName": text_sql("{server_name}"),
        },
    ),
    KindMapping(
        "files",
        "DeviceFileEvents",
        {
            "Timestamp": "{ts}",
            "DeviceName": _RECEIVER,
            "FileName": text_sql("{filename}"),
            "FileSize": "coalesce({total_bytes}, {seen_bytes})",
            "FileOriginIP": _SENDER,
            "RequestProtocol": text_sql("{source}"),
            "MD5": text_sql("{md5}"),
            "SHA1": text_sql("{sha1}"),
            "SHA256": text_sql("{sha256}"),
        },
    ),
)
