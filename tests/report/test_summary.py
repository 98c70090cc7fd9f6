from __future__ import annotations

import pytest

from gunilint.findings import Finding, Report
from gunilint.report import summary

from .samples import SAFE_FIX, STOP_TIMEOUT, UNIT, UNSAFE_FIX, at, finding, report, rule, suppressed

SUPPRESSED = suppressed(STOP_TIMEOUT)


def found(severity: str, **fields: object) -> Finding:
    return finding(at(UNIT, "notify"), rule=rule(severity=severity), **fields)


@pytest.mark.parametrize(
    ("run", "line"),
    [
        pytest.param(
            report(found("error")), "1 problem (1 error) in 1 deployment, 1 file", id="one"
        ),
        pytest.param(
            report(
                found("warning"), found("note"), found("error"), found("warning", fix=SAFE_FIX),
                found("note", fix=UNSAFE_FIX), deployments=2, files=4, suppressed=(SUPPRESSED,),
            ),
            "5 problems (1 error, 2 warnings, 2 notes) in 2 deployments, 4 files; "
            "1 suppressed; 1 fixable with --fix, 1 more with --unsafe-fixes",
            id="many",
        ),
        pytest.param(
            report(deployments=2, files=4), "4 files checked, 2 deployments, no problems",
            id="clean",
        ),
        pytest.param(
            report(suppressed=(SUPPRESSED,) * 3),
            "1 file checked, 1 deployment, no problems; 3 suppressed",
            id="clean-but-suppressed",
        ),
        pytest.param(
            report(suppressed=(SUPPRESSED,), baselined=(STOP_TIMEOUT,) * 12),
            "1 file checked, 1 deployment, no problems; 1 suppressed; 12 in the baseline",
            id="clean-but-known",
        ),
        pytest.param(
            report(deployments=0), "1 file checked, 0 deployments, no problems", id="no-deployment"
        ),
    ],
)  # fmt: skip
def test_summary(run: Report, line: str) -> None:
    assert summary(run) == line
