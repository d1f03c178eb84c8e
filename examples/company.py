"""The invented company: its machines, the programs on them, and what its logs cover."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

DOMAIN = "brightwater.example"
DAYS = tuple(datetime(2026, 6, day, tzinfo=UTC) for day in range(1, 22))
ZEEK_DAY = DAYS[15]  # a sensor in front of the servers, for a day
SURICATA_DAY = DAYS[11]  # another one on the second floor
SURICATA_HOSTS = tuple(f"WS-{n:03}" for n in range(11, 21))
SYSMON_DAYS = DAYS[8:15]
SYSMON_HOST = "WS-014"


@dataclass(frozen=True, slots=True)
class Host:
    """A machine: its short name, its address, and who works on it."""

    name: str
    address: str
    user: str

    @property
    def fqdn(self) -> str:
        """Its full name, as Defender spells it."""
        return f"{self.name}.{DOMAIN}".lower()


_USERS = """a.baker b.okafor c.lindt d.moreau e.novak f.silva g.hansen h.yilmaz i.petrov j.kaya
k.rossi l.weber m.costa l.ortega o.jensen p.nowak q.tran r.bauer s.iyer t.meyer u.sato v.klein
w.diaz x.chen y.amari z.horvat a.fischer b.murphy c.santos d.keller"""
WORKSTATIONS = tuple(
    Host(f"WS-{n:03}", f"10.10.0.{n + 10}", user) for n, user in enumerate(_USERS.split(), start=1)
)
SERVERS = (
    Host("SRV-DC-01", "10.10.1.10", "SYSTEM"),
    Host("SRV-FILE-01", "10.10.1.21", "SYSTEM"),
    Host("SRV-FILE-02", "10.10.1.22", "SYSTEM"),
    Host("SRV-MGMT-01", "10.10.1.30", "SYSTEM"),
    Host("SRV-APP-01", "10.10.1.50", "SYSTEM"),
    Host("SRV-LOG-01", "10.10.1.60", "SYSTEM"),
    Host("SRV-WEB-01", "10.10.2.10", "SYSTEM"),
    Host("SRV-MAIL-01", "10.10.2.11", "SYSTEM"),
)
OTHERS = (
    Host("JUMP-01", "10.20.0.11", "adm.reyes"),
    Host("JUMP-02", "10.20.0.12", "adm.reyes"),
    Host("LAB-01", "10.99.0.21", "lab"),
    Host("LAB-02", "10.99.0.22", "lab"),
)
HOSTS = {host.name: host for host in WORKSTATIONS + SERVERS + OTHERS}
DNS_SERVER = HOSTS["SRV-DC-01"]

_SYSTEM32 = "C:\\Windows\\System32\\"
_SPLUNK = "C:\\Program Files\\SplunkUniversalForwarder\\bin\\"
SVCHOST = _SYSTEM32 + "svchost.exe"
SCHTASKS = _SYSTEM32 + "schtasks.exe"
WMI = _SYSTEM32 + "wbem\\WmiPrvSE.exe"
POWERSHELL = _SYSTEM32 + "WindowsPowerShell\\v1.0\\powershell.exe"
EXPLORER = "C:\\Windows\\explorer.exe"
CHROME = "C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe"
EDGE = "C:\\Program Files (x86)\\Microsoft\\Edge\\Application\\msedge.exe"
OUTLOOK = "C:\\Program Files\\Microsoft Office\\root\\Office16\\OUTLOOK.EXE"
WINWORD = "C:\\Program Files\\Microsoft Office\\root\\Office16\\WINWORD.EXE"
IIS = _SYSTEM32 + "inetsrv\\w3wp.exe"
PSEXEC = "C:\\Tools\\Sysinternals\\PsExec.exe"
CHOCO = "C:\\ProgramData\\chocolatey\\choco.exe"
SPLUNKD = _SPLUNK + "splunkd.exe"
SPLUNK_INPUT = _SPLUNK + "splunk-winevtlog.exe"
PAYSLIP = "C:\\Users\\a.fischer\\payslip.scr"
PYTHON = "C:\\Lab\\python\\python.exe"
REGSVCS = "C:\\Windows\\Microsoft.NET\\Framework\\v4.0.30319\\RegSvcs.exe"
WINSYNC = "C:\\Users\\l.ortega\\AppData\\Roaming\\WinSync\\winsync.exe"
WINSYNC_ON_SERVER = "C:\\ProgramData\\WinSync\\winsync.exe"
TASK_SCHEDULER = f"{SVCHOST} -k netsvcs -p -s Schedule"
CHOCO_COMMAND = "choco.exe upgrade fieldtool -y --source https://chocomirror-eu.net/api/v2/"
