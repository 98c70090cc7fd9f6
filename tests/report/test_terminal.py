from __future__ import annotations

import io
import sys
import unicodedata
from collections.abc import Mapping

import pytest

from gunilint.report.terminal import columns, escape, use_color


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("stream", "option", "environ", "colored"),
    [
        pytest.param(Terminal(), "auto", {}, True, id="terminal"),
        pytest.param(io.StringIO(), "auto", {}, False, id="pipe"),
        pytest.param(Terminal(), "auto", {"TERM": "dumb"}, False, id="dumb-terminal"),
        pytest.param(Terminal(), "auto", {"NO_COLOR": "1"}, False, id="no-color"),
        pytest.param(Terminal(), "auto", {"NO_COLOR": ""}, True, id="no-color-empty"),
        pytest.param(io.StringIO(), "auto", {"FORCE_COLOR": "1"}, True, id="force-color"),
        pytest.param(io.StringIO(), "auto", {"FORCE_COLOR": ""}, False, id="force-color-empty"),
        pytest.param(
            Terminal(), "auto", {"NO_COLOR": "1", "FORCE_COLOR": "1"}, False, id="no-color-wins"
        ),
        pytest.param(io.StringIO(), "always", {"NO_COLOR": "1"}, True, id="always"),
        pytest.param(Terminal(), "never", {"FORCE_COLOR": "1"}, False, id="never"),
    ],
)
def test_use_color(
    stream: io.StringIO, option: str, environ: Mapping[str, str], colored: bool
) -> None:
    assert use_color(stream, option, environ) is colored


def test_escape_leaves_no_character_that_acts_on_the_terminal() -> None:
    everything = "".join(map(chr, range(sys.maxunicode + 1)))
    left = {unicodedata.category(char) for char in escape(everything)}
    assert not left & {"Cc", "Cf", "Cs", "Zl", "Zp"}


def test_escape_keeps_what_can_be_seen() -> None:
    text = "workers = 4  # große 日本語 cafe\u0301 ✓"
    assert escape(text) == text


@pytest.mark.parametrize(
    ("text", "width"),
    [("abc", 3), ("日本", 4), ("e\u0301", 1), ("ＡＢ", 4), ("é", 1)],
    ids=["ascii", "wide", "combining", "fullwidth", "narrow"],
)
def test_columns(text: str, width: int) -> None:
    assert columns(text) == width
