// Made by foxhunt; version 1.0.0
// Needs in bicepconfig.json: "extensions": {"MicrosoftSecurity": "br:mcr.microsoft.com/bicep/extensions/microsoftsecurity:v1.0.1"}
// Left out: CommonSecurityLog, DnsEvents, ASimDnsActivityLogs, ASimNetworkSessionLogs (only Sentinel has it); EmailUrlInfo (no asset in its rows)
extension MicrosoftSecurity

resource content 'Microsoft.Security/detectionRules@2026-06-01-preview' = {
  id: 'foxhunt-3482838b-f653-5553-ac8e-9e1dad969e96'
  displayName: 'Unknown RAT: DeviceNetworkEvents.RemoteUrl (win.unknown_rat)'
  status: 'enabled'
  queryCondition: {
    queryText: '// Hunt for domain of Unknown RAT in DeviceNetworkEvents.RemoteUrl\n// Source: ThreatFox - Unknown RAT\nlet UrlScheme = (u: string) {\n  tolower(extract(@"^\\s*([A-Za-z][A-Za-z0-9+.-]*)://", 1, u)) };\nlet UrlRest = (u: string) { extract(@"^\\s*(?:[A-Za-z][A-Za-z0-9+.-]*://|//)?([^#]*?)\\s*(?:#.*)?$", 1, u) };\nlet UrlAuthority = (u: string) { tolower(extract(@"^(?:[^/?]*@)?([^/?]*)", 1, UrlRest(u))) };\nlet UrlHost = (u: string) { trim_end(@"\\.+", extract(@"^([^:]*)", 1, UrlAuthority(u))) };\nlet UrlAnyPort = (u: string) { extract(@":([0-9]+)$", 1, UrlAuthority(u)) };\nlet UrlPort = (u: string) { iff(\n  (UrlScheme(u) in ("", "http", "ws") and UrlAnyPort(u) == "80")\n    or (UrlScheme(u) in ("", "https", "wss") and UrlAnyPort(u) == "443")\n    or (UrlScheme(u) == "ftp" and UrlAnyPort(u) == "21"), "", UrlAnyPort(u)) };\nlet UrlTail = (u: string) { extract(@"^[^/?]*(.*)$", 1, UrlRest(u)) };\nlet UrlPath = (u: string) { case(UrlTail(u) startswith "/", UrlTail(u),\n  UrlTail(u) != "" or UrlScheme(u) != "", strcat("/", UrlTail(u)), "") };\nlet UrlKey = (u: string) { iff(UrlPath(u) == "", "", strcat(UrlHost(u),\n  iff(UrlPort(u) == "", "", strcat(":", UrlPort(u))), UrlPath(u))) };\nlet indicators = datatable(Indicator: string) [\n  "texornacu.com",\n  "winupdateservice.com"\n]\n| extend Lookup = Indicator, IndicatorPort = "", IndicatorPath = "", IsShared = false, IndicatorType = "domain", Malware = "Unknown RAT", ConfidenceLevel = 100, ValidFrom = datetime(2026-04-24T08:11:02), ValidUntil = datetime(2026-11-20T08:11:02);\nlet lookups = toscalar(indicators | summarize make_set(Lookup));\nDeviceNetworkEvents\n| where RemoteUrl has_any (lookups)\n| extend ObservedName = UrlHost(RemoteUrl), ObservedPort = UrlPort(RemoteUrl), ObservedPath = UrlPath(RemoteUrl)\n| mv-expand Candidate = pack_array(ObservedName, extract(@"^(?:[^.]*\\.)+((?:[^.]+\\.){1}[^.]+)$", 1, ObservedName)) to typeof(string)\n| where Candidate != ""\n| join kind=inner (indicators) on $left.Candidate == $right.Lookup\n| extend Match = case(IndicatorType == "domain" and Candidate == ObservedName, "exact", IndicatorType == "domain", iff(IsShared, "", "subdomain"), Candidate != ObservedName, "", ObservedPath == "", iff(IsShared, "", "url-host"), ObservedPort != IndicatorPort, "", ObservedPath == IndicatorPath, "url", IsShared and IndicatorPath == "/", "", ObservedPath startswith_cs IndicatorPath and (IndicatorPath endswith "/" or IndicatorPath endswith "?" or IndicatorPath endswith "&" or substring(ObservedPath, strlen(IndicatorPath), 1) in ("/", "?", "#", "&")), "url-prefix", "")\n| where Match != ""\n| extend Verdict = case(Timestamp < ValidFrom or Timestamp > ValidUntil, "stale", "open")\n| where Verdict == "open"\n| project Timestamp, DeviceId, ReportId, DeviceName, InitiatingProcessAccountUpn, InitiatingProcessAccountName, InitiatingProcessFolderPath, InitiatingProcessFileName, ActionType, RemoteUrl, Indicator, IndicatorType, Malware, ConfidenceLevel, Match, Verdict\n| order by Timestamp desc'
  }
  schedule: {
    frequency: 'PT1H'
  }
  detectionAction: {
    alertTemplate: {
      title: 'Unknown RAT: DeviceNetworkEvents.RemoteUrl'
      description: 'Looks in DeviceNetworkEvents.RemoteUrl for names that ThreatFox lists for Unknown RAT. Exact about label borders, ports and paths.'
      severity: 'high'
      tactics: [
        {
          tactic: 'CommandAndControl'
          techniques: [
            {
              technique: 'T1071'
            }
          ]
        }
      ]
      entityMappings: {
        hosts: [
          {
            id: 'hosts1'
            deviceIdColumn: 'DeviceId'
          }
        ]
        urls: [
          {
            id: 'urls1'
            addressColumn: 'RemoteUrl'
          }
        ]
      }
    }
  }
}
