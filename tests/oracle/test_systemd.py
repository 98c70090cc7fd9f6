"""gunilint against systemd: which units load, and which lines it leaves out."""

from __future__ import annotations

import math
import re
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accepted import SYSTEMD
from gunilint.catalogue.directives import refusal, refused_as_a_whole
from gunilint.parse import systemd
from gunilint.source import Source
from tally import TALLY
from units import VERSION, Message, Verdict, installed, timespans, verify

pytestmark = pytest.mark.skipif(installed() != VERSION, reason=f"there is no systemd {VERSION}")

HEAD = "[Unit]\nDescription=shop\n[Service]\nExecStart=/bin/true gunicorn\n"
SERVICE = """
Type=notify
Type=Notify
Type=notify-reload
Type=daemon
Type=
Restart=always
Restart=yes
Restart=on-failure
Restart=onfailure
RestartSec=5
RestartSec=5 sec
RestartSec=five
RestartSec=-1
TimeoutStopSec=90
TimeoutStopSec=1min 30s
TimeoutStopSec=infinity
TimeoutStopSec=90 seconds and a bit
TimeoutStartSec=0
TimeoutSec=2m
WatchdogSec=30
WatchdogSec=x
KillMode=mixed
KillMode=all
KillSignal=SIGTERM
KillSignal=TERM
KillSignal=15
KillSignal=SIGNONE
KillSignal=99
UMask=0007
UMask=7
UMask=0o7
UMask=999
User=shop
User=shop owner
User=0
User=-shop
Group=www-data
Group=www data
SupplementaryGroups=a b
DynamicUser=yes
DynamicUser=maybe
WorkingDirectory=/srv/shop
WorkingDirectory=-/srv/shop
WorkingDirectory=srv/shop
WorkingDirectory=~
WorkingDirectory=/srv/../shop
WorkingDirectory=/srv/my shop
RootDirectory=relative
Environment=A=1
Environment=A=1 B=2
Environment="A=1 2" 'B=3'
Environment=A
Environment=1A=2
Environment="A=1
Environment=
EnvironmentFile=/etc/default/shop
EnvironmentFile=-/etc/default/shop
EnvironmentFile=etc/default/shop
EnvironmentFile="/etc/default/shop"
EnvironmentFile=/etc/../x
PassEnvironment=A B
PassEnvironment=1A
UnsetEnvironment=A
PIDFile=/run/shop.pid
PIDFile=shop.pid
PIDFile=/run/../shop.pid
NotifyAccess=main
NotifyAccess=all
NotifyAccess=everybody
RemainAfterExit=yes
RemainAfterExit=1
RemainAfterExit=y
RemainAfterExit=ja
GuessMainPID=no
LimitNOFILE=65536
LimitNOFILE=1k
LimitNOFILE=infinity
LimitNOFILE=many
LimitNPROC=10:20
Nice=5
Nice=99
OOMScoreAdjust=-500
OOMScoreAdjust=9999
StandardOutput=journal
StandardOutput=syslog
StandardOutput=file:/var/log/shop.log
StandardOutput=file:log
StandardOutput=append:/var/log/shop.log
StandardOutput=stdout
StandardError=inherit
SyslogIdentifier=shop
PrivateTmp=true
PrivateTmp=tmp
ProtectSystem=full
ProtectSystem=half
ProtectHome=read-only
ProtectHome=write
NoNewPrivileges=yes
ReadWritePaths=/srv
ReadWritePaths=srv
RuntimeDirectory=shop
RuntimeDirectory=/run/shop
RuntimeDirectoryMode=0750
RuntimeDirectoryMode=rwx
CapabilityBoundingSet=CAP_NET_BIND_SERVICE
CapabilityBoundingSet=CAP_NOTHING
AmbientCapabilities=CAP_NET_BIND_SERVICE
RestrictAddressFamilies=AF_UNIX AF_INET
RestrictAddressFamilies=AF_NOTHING
SystemCallFilter=@system-service
MemoryMax=1G
MemoryMax=50%
MemoryMax=lots
MemoryMax=0
CPUQuota=50%
CPUQuota=50
CPUQuota=0%
TasksMax=100
TasksMax=no
SuccessExitStatus=0 3
SuccessExitStatus=SIGKILL
SuccessExitStatus=999
RestartPreventExitStatus=3
ExecReload=/bin/kill -s HUP $MAINPID
ExecReload=kill -HUP $MAINPID
ExecReload=bin/kill
ExecStartPre=-/bin/mkdir -p /run/x
ExecStartPre=@/bin/true
ExecStartPre=+!/bin/true
ExecStop=
ExecStop=/bin/true 'open
WantedBy=multi-user.target
After=postgresql.service
StartLimitIntervalSec=10
StartLimitBurst=3
Requires=x.service
workers=4
execstart=/bin/true
type=simple
X-Shop=1
Description=x
CPUShares=5000
IOWeight=100
IOWeight=0
LogLevelMax=info
LogLevelMax=loud
Delegate=yes
TTYPath=/dev/tty1
TTYPath=tty1
User=%i
User=%q
WorkingDirectory=%h
""".strip("\n").split("\n")
UNITS = {
    "no type": "[Service]\nExecStart=/bin/true\n",
    "no section": "ExecStart=/bin/true\n",
    "no service": "[Unit]\nDescription=x\n",
    "empty": "",
    "no start": "[Service]\nType=simple\n",
    "two starts": "[Service]\nExecStart=/bin/true\nExecStart=/bin/true\n",
    "two starts of oneshot": "[Service]\nType=oneshot\nExecStart=/bin/true\nExecStart=/bin/true\n",
    "unknown section": HEAD + "[Gunicorn]\nWorkers=4\n",
    "own section": HEAD + "[X-Gunicorn]\nWorkers=4\n",
    "broken section": HEAD + "[Install\nWantedBy=multi-user.target\n",
    "no equals": HEAD + "Restart always\n",
    "no key": HEAD + "=always\n",
    "comment": HEAD + "# Restart=yes\n; Type=daemon\n",
    "inline comment": HEAD + "Restart=always # why\n",
    "continued": HEAD + "Environment=A=1 \\\n  B=2 \\\n  C=3\n",
    "continued with a comment": HEAD + "Environment=A=1 \\\n# no\n  B=2\n",
    "continued at the end": HEAD + "Environment=A=1 \\",
    "crlf": HEAD.replace("\n", "\r\n") + "Restart=always\r\n",
    "install": HEAD + "[Install]\nWantedBy=multi-user.target\nAlias=web.service\nRequiredBy=x\n",
    "install with a wrong key": HEAD + "[Install]\nRestart=always\n",
    "unit keys": "[Unit]\nAfter=a.service b.target\nWants=c\nStartLimitBurst=x\nRestart=always\n[Service]\nExecStart=/bin/true\n",
    "comma list": "[Unit]\nAfter=a.service, b.service\n[Service]\nExecStart=/bin/true\n",
    "blanks": HEAD + "  Restart = always  \n\tNice=3\n",
    "repeated": HEAD + "Restart=yes\nRestart=always\nRestart=no way\n",
}  # fmt: skip


SECTIONS = ("Unit", "Service", "Install")
"""Of another section systemd names the header and skips the rest."""


def told(name: str, text: str) -> Verdict:
    """What gunilint makes of a unit; systemd reads no further than a line that costs the unit."""
    unit = systemd.parse(Source(name, text), name)
    found = {problem.span.line: problem.kind for problem in unit.problems}
    for directive in unit.directives:
        TALLY.add("systemd", "directives")
        refused = refusal(directive.section, directive.key, directive.value.text)
        if refused is not None and directive.section in SECTIONS:
            found[directive.span.line] = refused.kind
    for number, line in enumerate(text.splitlines(), 1):
        header = re.fullmatch(r"\[([^]]*)\]", line.strip())
        if header and header[1] not in SECTIONS and not header[1].startswith("X-"):
            found[number] = "ignored"
    last = min((line for line, kind in found.items() if kind == "refused"), default=None)
    loads = last is None and refused_as_a_whole(unit) is None
    lines = sorted(line for line in found if last is None or line <= last)
    return Verdict(loads, tuple(Message(line, "") for line in lines))


def compare(units: dict[str, str]) -> dict[str, str]:
    """The disagreements, by the unit's name."""
    with tempfile.TemporaryDirectory() as folder:
        real = verify(Path(folder), units)
    found = {}
    for name, text in units.items():
        TALLY.add("systemd", "units")
        ours = told(name, text)
        if (ours.loads, ours.lines) != (real[name].loads, real[name].lines):
            found[name] = f"told {ours}, systemd says {real[name]}\n{text}"
    return found


HAND_WRITTEN = {**{line: f"{HEAD}{line}\n" for line in SERVICE}, **UNITS}


@pytest.fixture(scope="module")
def disagreements() -> dict[str, str]:
    """Of all hand-written units, by their names in the table; they are verified in one call."""
    names = {f"unit{number}.service": name for number, name in enumerate(HAND_WRITTEN)}
    found = compare({file: HAND_WRITTEN[name] for file, name in names.items()})
    return {names[file]: text for file, text in found.items()}


@pytest.mark.parametrize("name", HAND_WRITTEN)
def test_hand_written_unit(name: str, disagreements: dict[str, str]) -> None:
    assert (name in disagreements) is (name in SYSTEMD), disagreements.get(name, "it agrees by now")


LINES = st.one_of(
    st.sampled_from([line for line in SERVICE if line not in SYSTEMD]),
    st.sampled_from(["", "# x", "[Service]", "[Install]", "[Unit]", "[Other]", "Wants=a.service", "nonsense"]),
    st.builds("{}={}".format, st.sampled_from([line.partition("=")[0] for line in SERVICE[:60]]),
              st.sampled_from(["yes", "no", "5", "10s", "x", "/srv", "~", "a b", "", "-1", "0", "SIGTERM", "infinity"])),
)  # fmt: skip


@settings(
    max_examples=20, deadline=None, derandomize=True, database=None,
    suppress_health_check=list(HealthCheck),
)  # fmt: skip
@given(st.lists(st.lists(LINES, min_size=1, max_size=8), min_size=12, max_size=12))
def test_generated_units(units: list[list[str]]) -> None:
    texts = {f"made{n}.service": HEAD + "\n".join(lines) + "\n" for n, lines in enumerate(units)}
    assert not compare(texts)


SPANS = st.lists(
    st.tuples(st.sampled_from(["1", "90", "1.5", "0", "", "007", "1e3"]), st.sampled_from(["", " "]),
              st.sampled_from(["", "s", "sec", "min", "m", "h", "ms", "us", "d", "w", "M", "y", "x", "seconds"])),
    min_size=1, max_size=3,
).map(lambda parts: " ".join("".join(part) for part in parts))  # fmt: skip


@settings(max_examples=8, deadline=None, derandomize=True, database=None)
@given(st.lists(SPANS, min_size=25, max_size=25))
def test_time_spans(texts: list[str]) -> None:
    texts = [text.strip() for text in texts if text.strip()]
    for text, microseconds in zip(texts, timespans(texts), strict=True):
        TALLY.add("systemd", "time spans")
        ours = systemd.timespan(text)
        assert (ours is None) == (microseconds is None), text
        if ours is not None and microseconds is not None and not math.isinf(ours):
            assert round(ours * 1_000_000) == microseconds, text
