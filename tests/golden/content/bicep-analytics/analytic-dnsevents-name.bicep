// Made by foxhunt; version 1.0.0
param workspace string

resource target 'Microsoft.OperationalInsights/workspaces@2025-02-01' existing = {
  name: workspace
}

resource content 'Microsoft.SecurityInsights/alertRules@2025-09-01' = {
  scope: target
  name: '597d76b1-d79b-569d-8f49-898fbb098db3'
  kind: 'Scheduled'
  properties: {
    displayName: 'Unknown RAT: DnsEvents.Name'
    description: 'Looks in DnsEvents.Name for names that ThreatFox lists for Unknown RAT. Exact about label borders, ports and paths.'
    severity: 'High'
    enabled: true
    query: '// Hunt for domain of Unknown RAT in DnsEvents.Name\n// Source: ThreatFox - Unknown RAT\nlet indicators = datatable(Indicator: string) [\n  "texornacu.com",\n  "winupdateservice.com"\n]\n| extend Lookup = Indicator, IsShared = false, IndicatorType = "domain", Malware = "Unknown RAT", ConfidenceLevel = 100, ValidFrom = datetime(2026-04-24T08:11:02), ValidUntil = datetime(2026-11-20T08:11:02);\nlet lookups = toscalar(indicators | summarize make_set(Lookup));\nDnsEvents\n| where TimeGenerated > ago(1d)\n| where ingestion_time() > ago(1h)\n| where Name has_any (lookups)\n| extend ObservedName = tolower(trim_end(@"\\.+", trim(@"\\s+", Name)))\n| mv-expand Candidate = pack_array(ObservedName, extract(@"^(?:[^.]*\\.)+((?:[^.]+\\.){1}[^.]+)$", 1, ObservedName)) to typeof(string)\n| where Candidate != ""\n| join kind=inner (indicators) on $left.Candidate == $right.Lookup\n| extend Match = case(IndicatorType == "url", iff(Candidate == ObservedName, "url-host", ""), Candidate == ObservedName, "exact", not(IsShared), "subdomain", "")\n| where Match != ""\n| extend Verdict = case(TimeGenerated < ValidFrom or TimeGenerated > ValidUntil, "stale", "open")\n| where Verdict == "open"\n| project TimeGenerated, ClientIP, Computer, Name, Indicator, IndicatorType, Malware, ConfidenceLevel, Match, Verdict\n| order by TimeGenerated desc'
    queryFrequency: 'PT1H'
    queryPeriod: 'P1D'
    triggerOperator: 'GreaterThan'
    triggerThreshold: 0
    suppressionDuration: 'PT5H'
    suppressionEnabled: false
    tactics: [
      'CommandAndControl'
    ]
    techniques: [
      'T1071'
    ]
    entityMappings: [
      {
        entityType: 'IP'
        fieldMappings: [
          {
            identifier: 'Address'
            columnName: 'ClientIP'
          }
        ]
      }
      {
        entityType: 'DNS'
        fieldMappings: [
          {
            identifier: 'DomainName'
            columnName: 'Name'
          }
        ]
      }
      {
        entityType: 'Malware'
        fieldMappings: [
          {
            identifier: 'Name'
            columnName: 'Malware'
          }
        ]
      }
    ]
    customDetails: {
      Indicator: 'Indicator'
      IndicatorType: 'IndicatorType'
      MalwareFamily: 'Malware'
      ConfidenceLevel: 'ConfidenceLevel'
      MatchKind: 'Match'
    }
    alertDetailsOverride: {
      alertDisplayNameFormat: '{{Malware}}: {{Indicator}} in DnsEvents'
      alertDescriptionFormat: 'ThreatFox lists {{Indicator}} ({{IndicatorType}}); met as {{Match}}.'
    }
    eventGroupingSettings: {
      aggregationKind: 'AlertPerResult'
    }
    incidentConfiguration: {
      createIncident: true
      groupingConfiguration: {
        enabled: true
        reopenClosedIncident: false
        lookbackDuration: 'PT5H'
        matchingMethod: 'AllEntities'
      }
    }
  }
}
