"""What the services ask of a rule's query: NRT rules, and Defender's custom detections."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from foxhunt.lint.checks import Remark
from foxhunt.lint.columns import returned_columns
from foxhunt.lint.known_tables import known_tables
from foxhunt.lint.model import Holder, Level, Query
from foxhunt.lint.statements import split
from foxhunt.lint.tokens import Kind

_NOT_STREAMED = ("join", "union", "externaldata", "lookup", "materialize", "search")
_MOMENTS = ("ago", "now", "datetime", "startofday", "todatetime")
# Tables of near-real-time detections (Defender docs, custom detection rules, 2025-02).
_STREAMED_TABLES = {
    *("AlertEvidence", "CloudAppEvents", "DeviceEvents", "DeviceFileCertificateInfo"),
    *("DeviceFileEvents", "DeviceImageLoadEvents", "DeviceLogonEvents", "DeviceNetworkEvents"),
    *("DeviceNetworkInfo", "DeviceInfo", "DeviceProcessEvents", "DeviceRegistryEvents"),
    *("EmailAttachmentInfo", "EmailEvents", "EmailPostDeliveryEvents", "EmailUrlInfo"),
    *("UrlClickEvents",),
}
# Columns of an impacted asset, of which a result needs one (Defender docs, 2025-02).
_ASSETS = {
    *("DeviceId", "DeviceName", "RemoteDeviceName", "RecipientEmailAddress", "AccountUpn"),
    *("SenderFromAddress", "SenderMailFromAddress", "RecipientObjectId", "AccountObjectId"),
    *("AccountSid", "InitiatingProcessAccountUpn", "InitiatingProcessAccountSid"),
    *("InitiatingProcessAccountObjectId", "InitiatingProcessAccountName"),
}


def streamed(query: Query) -> Iterator[Remark]:
    """What a near-real-time rule cannot do (Sentinel and Defender docs, 2026)."""
    if not query.is_streamed:
        return
    is_defender = query.holder is Holder.DEFENDER
    for token in query.comments_and_tokens:
        if token.is_word(*_NOT_STREAMED):
            what = f"cannot {token}: it reads one table, row by row"
        elif is_defender and (token.kind is Kind.COMMENT or token.is_word("let")):
            what = f"of Defender takes no {'comment' if token.kind is Kind.COMMENT else 'let'}"
        elif is_defender and token.kind is Kind.NAME and _is_other_table(token.text):
            what = f"of Defender does not read {token.text}"
        else:
            continue
        message = f"a near-real-time rule {what}"
        fix = "schedule it, or list the values in the query"
        yield Remark("L114", Level.ERROR, token.offset, message, fix)


def _is_other_table(name: str) -> bool:
    return name in known_tables() and name not in _STREAMED_TABLES


def defender_time(query: Query) -> Iterator[Remark]:
    """A custom detection that bounds its time: the service does (Defender docs, 2025-02)."""
    if query.holder is not Holder.DEFENDER:
        return
    for stage in split([one for one in query.tokens if not one.is_sign(";")], "|"):
        if not stage or not stage[0].is_word("where", "filter"):
            continue
        for place, (token, after) in enumerate(itertools.pairwise(stage)):
            is_compared = after.is_sign(">", ">=", "<", "<=") or after.is_word("between")
            # Against another column, such as the end of an indicator, is another matter.
            is_moment = any(one.is_word(*_MOMENTS) for one in stage[place + 2 : place + 4])
            if token.is_word("timestamp", "timegenerated") and is_compared and is_moment:
                yield Remark(
                    "L138",
                    Level.WARNING,
                    token.offset,
                    f"the service bounds the time: a filter on {token.text} loses late events",
                    "drop it, or ask ingestion_time()",
                )


def defender_result(query: Query) -> Iterator[Remark]:
    """A custom detection needs time, event and asset in its result (Defender docs, 2025-02)."""
    columns = returned_columns(query.tokens) if query.holder is Holder.DEFENDER else None
    if columns is None:
        return
    lacking = []
    if not columns & {"Timestamp", "TimeGenerated"}:
        lacking.append("Timestamp")
    if "ReportId" not in columns and not any(
        one.text.startswith("Alert") for one in query.tokens[:1]
    ):
        lacking.append("ReportId")
    if not columns & _ASSETS:
        lacking.append("a column of an impacted asset, such as DeviceId")
    if lacking:
        yield Remark(
            "L139",
            Level.ERROR,
            query.tokens[0].offset,
            f"the result lacks {', '.join(lacking)}: the service refuses the detection",
            "project them too",
        )
