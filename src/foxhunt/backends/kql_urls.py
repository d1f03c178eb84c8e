"""What of a URL is compared (R4), as KQL: host, port unless it is the scheme's own, path.

Kusto's ``parse_url`` needs a scheme and keeps upper case; logs have neither always.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_CALL = re.compile(r"\bUrl(Host|Port|Path|Key)\(")
SCHEME = "[A-Za-z][A-Za-z0-9+.-]*"
_FUNCTIONS = f"""let UrlScheme = (u: string) {{
  tolower(extract(@"^\\s*({SCHEME})://", 1, u)) }};
let UrlRest = (u: string) {{ extract(@"^\\s*(?:{SCHEME}://|//)?([^#]*?)\\s*(?:#.*)?$", 1, u) }};
let UrlAuthority = (u: string) {{ tolower(extract(@"^(?:[^/?]*@)?([^/?]*)", 1, UrlRest(u))) }};
let UrlHost = (u: string) {{ trim_end(@"\\.+", extract(@"^([^:]*)", 1, UrlAuthority(u))) }};
let UrlAnyPort = (u: string) {{ extract(@":([0-9]+)$", 1, UrlAuthority(u)) }};
let UrlPort = (u: string) {{ iff(
  (UrlScheme(u) in ("", "http", "ws") and UrlAnyPort(u) == "80")
    or (UrlScheme(u) in ("", "https", "wss") and UrlAnyPort(u) == "443")
    or (UrlScheme(u) == "ftp" and UrlAnyPort(u) == "21"), "", UrlAnyPort(u)) }};
let UrlTail = (u: string) {{ extract(@"^[^/?]*(.*)$", 1, UrlRest(u)) }};
let UrlPath = (u: string) {{ case(UrlTail(u) startswith "/", UrlTail(u),
  UrlTail(u) != "" or UrlScheme(u) != "", strcat("/", UrlTail(u)), "") }};
let UrlKey = (u: string) {{ iff(UrlPath(u) == "", "", strcat(UrlHost(u),
  iff(UrlPort(u) == "", "", strcat(":", UrlPort(u))), UrlPath(u))) }};"""


def functions_used(lines: Iterable[str]) -> list[str]:
    """The functions' definitions, if one of a query's lines calls any of them."""
    # A line may be a list of a million characters: most are seen not to call without a search.
    calls = any("Url" in line and "(" in line and _CALL.search(line) for line in lines)
    return [_FUNCTIONS] if calls else []
