// Made by foxhunt; version 1.0.0
param workspace string

resource target 'Microsoft.OperationalInsights/workspaces@2025-02-01' existing = {
  name: workspace
}

resource content 'Microsoft.OperationalInsights/workspaces/savedSearches@2020-08-01' = {
  parent: target
  name: '85bc7af1-8b41-56b6-a5b9-b03ccba0a31f'
  properties: {
    eTag: '*'
    displayName: 'Unknown RAT: DnsEvents.Name'
    category: 'Hunting Queries'
    query: '// Hunt for domain of Unknown RAT in DnsEvents.Name\n// Source: ThreatFox - Unknown RAT\nlet starttime = todatetime(\'{{StartTimeISO}}\');\nlet endtime = todatetime(\'{{EndTimeISO}}\');\nlet indicators = datatable(Indicator: string) [\n  "texornacu.com",\n  "winupdateservice.com"\n]\n| extend Lookup = Indicator, IsShared = false, IndicatorType = "domain", Malware = "Unknown RAT", ConfidenceLevel = 100, ValidFrom = datetime(2026-04-24T08:11:02), ValidUntil = datetime(2026-11-20T08:11:02);\nlet lookups = toscalar(indicators | summarize make_set(Lookup));\nDnsEvents\n| where TimeGenerated between (starttime .. endtime)\n| where Name has_any (lookups)\n| extend ObservedName = tolower(trim_end(@"\\.+", trim(@"\\s+", Name)))\n| mv-expand Candidate = pack_array(ObservedName, extract(@"^(?:[^.]*\\.)+((?:[^.]+\\.){1}[^.]+)$", 1, ObservedName)) to typeof(string)\n| where Candidate != ""\n| join kind=inner (indicators) on $left.Candidate == $right.Lookup\n| extend Match = case(IndicatorType == "url", iff(Candidate == ObservedName, "url-host", ""), Candidate == ObservedName, "exact", not(IsShared), "subdomain", "")\n| where Match != ""\n| extend Verdict = case(TimeGenerated < ValidFrom or TimeGenerated > ValidUntil, "stale", "open")\n| project TimeGenerated, ClientIP, Computer, Name, Indicator, IndicatorType, Malware, ConfidenceLevel, Match, Verdict\n| order by TimeGenerated desc'
    version: 1
    tags: [
      {
        name: 'description'
        value: 'Looks in DnsEvents.Name for names that ThreatFox lists for Unknown RAT. Exact about label borders, ports and paths.'
      }
      {
        name: 'tactics'
        value: 'CommandAndControl'
      }
      {
        name: 'relevantTechniques'
        value: 'T1071'
      }
    ]
  }
}
