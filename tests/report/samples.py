"""Findings made by hand, so that the formats are tested apart from parsers and checks."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import PurePosixPath

from gunilint.command import Label
from gunilint.findings import Edit, Finding, Fix, Report
from gunilint.rules import BACKGROUND, Rule
from gunilint.source import Source
from gunilint.suppress import Suppression

TOLD = {
    "why": "gunicorn needs `graceful_timeout`\nseconds.\n\nThe unit ends as failed.\n",
    "remedy": "Let systemd wait longer.\n",
    "references": ["https://example.org/stop"],
}


def rule(code: str = "GU203", name: str = "stop-timeout-too-short", **fields: object) -> Rule:
    values: dict[str, object] = {
        "code": code,
        "name": name,
        "summary": "systemd kills the service too early.",
        "severity": "warning",
        "confidence": "high",
        "category": "timeouts",
        "since": "0.1.0",
        "versions": ">=19.9",
        "default": True,
        "check": "",
        "parameters": {},
        "message": "",
        "label": "",
        "labels": {},
        "variants": {},
        "help": "",
        "told": json.dumps(
            {**TOLD, **{key: fields.pop(key) for key in BACKGROUND if key in fields}}
        ),
        "cwe": None,
        "security_severity": None,
    }
    return Rule(**{**values, **fields})  # type: ignore[arg-type]


def at(source: Source, marked: str, text: str = "") -> Label:
    """The first place in `source` where `marked` stands."""
    start = source.text.index(marked)
    return Label(source.span(start, start + len(marked)), text)


def finding(primary: Label, *related: Label, **fields: object) -> Finding:
    of = fields.pop("rule", None) or rule()
    assert isinstance(of, Rule)
    values: dict[str, object] = {
        "severity": of.severity,
        "confidence": of.confidence,
        "message": "systemd kills it after 20 s",
    }
    return Finding(of, primary=primary, related=related, **{**values, **fields})  # type: ignore[arg-type]


def suppressed(found: Finding, reason: str = "") -> tuple[Finding, Suppression]:
    """A finding with a suppression right where it is."""
    span = found.primary.span
    return found, Suppression(span, (), reason, (span.line, span.line), span)


def report(*findings: Finding, rules: Sequence[Rule] = (), **fields: object) -> Report:
    """A run in the folder `deploy` of a repository whose project is its root."""
    values: dict[str, object] = {
        "rules": tuple(rules)
        or tuple({found.rule.code: found.rule for found in findings}.values()),
        "deployments": 1,
        "files": 1,
        "display": lambda source: str(PurePosixPath(source.path).relative_to("deploy")),
        "uri": lambda source: source.path,
    }
    return Report(findings, **{**values, **fields})  # type: ignore[arg-type]


UNIT = Source(
    "deploy/app.service",
    "[Service]\nType=notify\nExecStart=/srv/start.sh\nTimeoutStopSec=20\nKillMode=mixed\n",
)
CONFIG = Source(
    "deploy/gunicorn.conf.py",
    "\n".join(f"# line {number}" for number in range(1, 14)) + "\ngraceful_timeout = 120\n",
)

STOP_TIMEOUT = finding(
    at(UNIT, "TimeoutStopSec=20", "SIGKILL 20 s after SIGTERM"),
    at(CONFIG, "120", "workers may need this long"),
    message="gunicorn needs up to 120 s to stop, systemd kills it after 20 s",
    help="set TimeoutStopSec=130, or lower graceful_timeout",
)

SAFE_FIX = Fix("add a jitter", (), safe=True)
UNSAFE_FIX = Fix("recycle workers", (), safe=False)

HOSTILE_NAMES = {
    "command": "deploy/::error file=x::y",
    "old-command": "deploy/##[add-mask]y",
    "newline": "deploy/a\n::warning::y\r\n##[error]z.sh",
    "properties": "deploy/a,line=9,title=b::c%0A%25.sh",
    "markup": "deploy/]]><!-- & \"'><x y='z'/>.sh",
    "control": "deploy/a\x01\x1b[31m\x7f\x85\t.sh",
    "bidi": "deploy/a\u202egnp.sh\u2066\u200b\u00ad\ufeff",
    "not-utf-8": "deploy/a\udcff\udc80.sh",
    "no-characters": "deploy/a\ufffe\uffff\U0010ffff.sh",
    "unicode": "deploy/größe 日本 \U0001f469\u200d\U0001f4bb.sh",
}
"""Names of files that a format could choke on, or take for something else."""


def hostile(name: str) -> Finding:
    """A finding in a file with such a name, that is repeated in all it says."""
    text = name.removeprefix("deploy/")
    source = Source(name, f"x = '{text}'\n# {text}\n")
    return finding(
        at(source, "x", text),
        at(source, "# ", text),
        message=text, help=text, chain=(at(source, "=", text),),
        fix=Fix(text, (Edit(at(source, "x").span, text),), safe=True),
    )  # fmt: skip


HOSTILE_REPORTS = {key: report(hostile(name)) for key, name in HOSTILE_NAMES.items()}
