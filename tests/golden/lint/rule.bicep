param workspace string

resource rule 'Microsoft.SecurityInsights/alertRules@2025-09-01' = {
  name: '0f0e0d0c-0000-4000-8000-000000000004'
  kind: 'Scheduled'
  properties: {
    displayName: 'Unknown RAT'
    // query: 'search *'
    query: 'search * | where TimeGenerated > ago(1d) // it\'s \u{1f600}\n| where SHA1 == "AB"'
    queryFrequency: 'PT1H'
    queryPeriod: 'PT30M'
  }
}

resource hunt 'Microsoft.OperationalInsights/workspaces/savedSearches@2025-07-01' = {
  name: 'hunt'
  properties: {
    category: 'Hunting Queries'
    query: '''
union *
| where TimeGenerated > ago(1d)
'''
  }
}
