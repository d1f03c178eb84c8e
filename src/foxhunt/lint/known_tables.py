"""Tables whose columns are known: those of the catalog, and Sentinel's table of indicators."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from foxhunt.tables import catalog

# The table of indicators that ThreatIntelIndicators took the place of (Microsoft docs, 2025-07).
RETIRED = "ThreatIntelligenceIndicator"
# Columns of Sentinel's own tables that rules of threat intelligence read (Azure Monitor
# reference, 2026-07-27); they hold no events, so they are no tables of the catalog.
_INDICATORS = {
    **{"TenantId": "string", "TimeGenerated": "datetime", "WorkspaceId": "string"},
    **{"Id": "string", "SourceSystem": "string", "LastUpdateMethod": "string"},
    **{"IsDeleted": "bool", "IsActive": "bool", "Revoked": "bool", "Data": "dynamic"},
    **{"ValidUntil": "datetime", "ValidFrom": "datetime", "Created": "datetime"},
    **{"Modified": "datetime", "Tags": "string", "Confidence": "int", "Pattern": "string"},
    **{"ObservableKey": "string", "ObservableValue": "string", "Type": "string"},
    **{"AdditionalFields": "dynamic", "AzureTenantId": "string"},
}
# Columns that every table of a workspace has, documented or not (Azure Monitor docs,
# "Standard columns in Azure Monitor Logs", 2025).
_STANDARD = {
    **{"TenantId": "string", "Type": "string", "SourceSystem": "string", "_ItemId": "string"},
    **{"_ResourceId": "string", "_SubscriptionId": "string", "_BilledSize": "real"},
    **{"_IsBillable": "string", "_TimeReceived": "datetime"},
}


@cache
def known_tables() -> Mapping[str, Mapping[str, str]]:
    """Table name to columns, column name to Kusto type."""
    tables = {name: dict(table.columns) for name, table in catalog().items()}
    tables["ThreatIntelIndicators"] = dict(_INDICATORS)
    return MappingProxyType(
        {name: MappingProxyType({**_STANDARD, **columns}) for name, columns in tables.items()}
    )
