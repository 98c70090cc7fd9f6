"""The page in a real browser: quiet, alone, in the width that there is, and dark where that's asked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from browser import Browser, browser
from gunilint.engine import report, run
from gunilint.policy import Policy, same
from gunilint.report.html import render
from gunilint.rules import load_rules

from .hostile import write_hostile

FIXTURES = Path(__file__).parents[1] / "fixtures"
PAGES = ("lesson", "worker-zoo", "ageing-django", "only-mentions", "hostile")


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with browser(tmp_path_factory.mktemp("chromium") / "profile") as found:
        yield found


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("pages")
    (hostile := tmp_path_factory.mktemp("hostile")).mkdir(exist_ok=True)
    write_hostile(hostile)
    made = {}
    for name in PAGES:
        project = hostile if name == "hostile" else FIXTURES / name
        result = run([project], same(Policy(load_rules())), keep=True)
        made[name] = folder / f"{name}.html"
        made[name].write_text(render(report(result, project)), encoding="utf-8")
    return made


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("name", PAGES)
def test_page_is_quiet_alone_and_fits(
    chromium: Browser, pages: dict[str, Path], name: str, width: int, scheme: str
) -> None:
    chromium.resize(width, mobile=width < 500)
    chromium.color_scheme(scheme)
    chromium.messages()
    chromium.requests()
    chromium.open(pages[name])
    assert chromium.run(OPEN_ALL) >= 0
    assert chromium.messages() == []
    asked = {address for address in chromium.requests() if address != "data:,"}
    assert asked == {pages[name].as_uri()}
    seen = chromium.run(LOOK)
    assert seen["pwned"] is None
    assert seen["width"] <= width
    assert seen["wide"] == []
    assert seen["handlers"] == 0
    assert seen["small"] >= 11
    light = sum(seen["background"]) / 3 > 128
    assert light is (scheme == "light")
    assert seen["faint"] == []


OPEN_ALL = """
document.querySelectorAll('details').forEach(each => each.open = true);
return document.querySelectorAll('details').length;
"""

LOOK = """
const rgb = text => text.match(/[0-9.]+/g).map(Number);
const light = color => {
  const [r, g, b] = color.map(c => (c /= 255) <= .04045 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4);
  return .2126 * r + .7152 * g + .0722 * b;
};
const behind = element => {
  for (let each = element; each; each = each.parentElement) {
    const color = rgb(getComputedStyle(each).backgroundColor);
    if (color.length < 4 || color[3] > 0) return color;
  }
  return [255, 255, 255];
};
const shown = [...document.querySelectorAll('body *')].filter(each => each.checkVisibility());
const own = each => [...each.childNodes].some(node => node.nodeType === 3 && node.data.trim());
const words = shown.filter(own);
const contrast = each => {
  const style = getComputedStyle(each), svg = each instanceof SVGElement;
  const [a, b] = [light(rgb(svg ? style.fill : style.color)), light(behind(each))].sort((x, y) => y - x);
  return (a + .05) / (b + .05);
};
return {
  pwned: window.pwned ?? null,
  width: document.documentElement.scrollWidth,
  // a box's arrow stands beside it
  wide: shown.filter(each => !(each instanceof SVGElement) && !each.matches('.box') && each.clientWidth
    && each.scrollWidth > each.clientWidth + 1 && getComputedStyle(each).overflowX === 'visible'
    && getComputedStyle(each).display !== 'inline').map(each => each.outerHTML.slice(0, 90)),
  handlers: [...document.querySelectorAll('*')].filter(each =>
    each.getAttributeNames().some(name => name.startsWith('on'))).length,
  background: rgb(getComputedStyle(document.body).backgroundColor).slice(0, 3),
  small: Math.min(...words.map(each => parseFloat(getComputedStyle(each).fontSize))),
  faint: words.filter(each => !each.matches('.within') && contrast(each) < 4.5)
    .map(each => `${contrast(each).toFixed(2)} ${each.outerHTML.slice(0, 90)}`),
};
"""


def test_style_is_the_one_that_the_policy_allows(chromium: Browser, pages: dict[str, Path]) -> None:
    chromium.open(pages["lesson"])
    assert chromium.run("return document.styleSheets[0].cssRules.length") > 50


def test_no_script_can_run_on_the_page(chromium: Browser, pages: dict[str, Path]) -> None:
    """Even if there were one: the policy stops it."""
    text = pages["lesson"].read_text(encoding="utf-8")
    page = pages["lesson"].with_name("attacked.html")
    attack = "<script>window.pwned=1</script><img src=x onerror='window.pwned=1'></main>"
    page.write_text(text.replace("</main>", attack), encoding="utf-8")
    chromium.messages()
    chromium.open(page)
    assert chromium.run("return window.pwned ?? null") is None
    assert any("Content Security Policy" in message for message in chromium.messages())


def test_switches_hide_findings_without_a_script(chromium: Browser, pages: dict[str, Path]) -> None:
    chromium.open(pages["worker-zoo"])
    count = (
        "return [...document.querySelectorAll('.finding')].filter(e => e.checkVisibility()).length"
    )
    everything = chromium.run(count)
    errors = chromium.run("return document.querySelectorAll('.finding.error').length")
    chromium.run("document.getElementById('show-error').click()")
    assert errors > 0
    assert chromium.run(count) == everything - errors


def test_bars_are_where_their_seconds_are(chromium: Browser, pages: dict[str, Path]) -> None:
    """The marks of the axis and the ends of the bars, in pixels."""
    for width in (390, 1280):
        chromium.resize(width, mobile=width < 500)
        chromium.open(pages["lesson"])
        ticks, bars = chromium.run(MEASURE)
        zero, last = ticks["0"], ticks["90"]
        for seconds, end in bars:
            assert end == pytest.approx(zero + (last - zero) * seconds / 90, abs=1)


MEASURE = """
const ladder = document.querySelector('.ladder');
const lines = [...ladder.querySelector('.of-request svg').querySelectorAll('line.grid')];
const names = [...ladder.querySelectorAll('.scale text')].map(each => parseFloat(each.textContent));
const ticks = Object.fromEntries(lines.map((line, i) => [names[i], line.getBoundingClientRect().left]));
const bars = [...ladder.querySelectorAll('.rung:not(.scale):not(.of-request)')].map(rung => [
  parseFloat(rung.querySelector('.value').textContent),
  rung.querySelector('rect').getBoundingClientRect().right]);
return [ticks, bars];
"""


def test_printing_opens_what_is_folded(chromium: Browser, pages: dict[str, Path]) -> None:
    chromium.open(pages["lesson"])
    height = "return document.querySelector('.settings table').getBoundingClientRect().height"
    hidden = chromium.run("return document.querySelector('.settings').open")
    assert hidden is False
    chromium.command("Emulation.setEmulatedMedia", media="print")
    assert chromium.run(height) > 100
    chromium.command("Emulation.setEmulatedMedia", media="screen")


def test_keyboard_reaches_links_and_switches(chromium: Browser, pages: dict[str, Path]) -> None:
    chromium.open(pages["lesson"])
    found = json.loads(
        chromium.run(
            "return JSON.stringify([...document.querySelectorAll('a, input, summary')]"
            ".map(each => [each.tabIndex, !!(each.textContent || each.closest('label')?.textContent)]))"
        )
    )
    assert len(found) > 20
    assert all(index >= 0 and named for index, named in found)
