"""The page: what is on it, that nothing gets out of its place, and where the ladder's bars are."""

from __future__ import annotations

import base64
import hashlib
import math
import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from gunilint.cli import main
from gunilint.engine import report as make_report
from gunilint.engine import run
from gunilint.findings import Edit, Fix, Report
from gunilint.ladder import Clock, Situation
from gunilint.masking import Mask
from gunilint.policy import Policy, same
from gunilint.report import drawing
from gunilint.report.html import render
from gunilint.report.markup import inline, link, tag
from gunilint.report.terminal import escape
from gunilint.rules import load_rules
from gunilint.source import Source
from projects import write

from .hostile import IMAGE, SCRIPT, SECRET, write_hostile
from .samples import CONFIG, STOP_TIMEOUT, UNIT, at, finding, report, rule, suppressed

FIXTURES = Path(__file__).parents[1] / "fixtures"
VOID = {"br", "hr", "input", "link", "meta"}


@dataclass
class Element:
    name: str
    attributes: dict[str, str | None]
    children: list[Element | str] = field(default_factory=list)

    @property
    def text(self) -> str:
        return "".join(each if isinstance(each, str) else each.text for each in self.children)

    def all(self, name: str = "", kind: str = "") -> list[Element]:
        found = []
        for each in self.children:
            if isinstance(each, Element):
                kinds = (each.attributes.get("class") or "").split()
                if name in ("", each.name) and (not kind or kind in kinds):
                    found.append(each)
                found += each.all(name, kind)
        return found

    def one(self, name: str = "", kind: str = "") -> Element:
        (found,) = self.all(name, kind)
        return found


class Reader(HTMLParser):
    """A tree of a page in which every element is closed where it has to be."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.root = Element("", {})
        self.open = [self.root]
        self.feed(page)
        self.close()
        assert self.open == [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len(dict(attrs)) == len(attrs), attrs
        element = Element(tag, dict(attrs))
        self.open[-1].children.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop().name == tag

    def handle_data(self, data: str) -> None:
        self.open[-1].children.append(data)


def page_of(folder: Path) -> str:
    rules = tuple(rule for rule in load_rules() if rule.default)
    result = run([folder], same(Policy(rules)), keep=True)
    assert not result.errors
    return render(make_report(result, folder))


def read(of: Report) -> Element:
    return Reader(render(of)).root


def check_page(page: str) -> Element:
    """What holds for every page."""
    root = Reader(page).root
    elements = root.all()
    ids = [each.attributes["id"] for each in elements if "id" in each.attributes]
    assert len(set(ids)) == len(ids)
    for each in elements:
        assert not any(name.startswith("on") or name == "style" for name in each.attributes)
        assert not {"src", "srcset", "action", "formaction", "data", "ping"} & set(each.attributes)
        href = each.attributes.get("href")
        if href is not None and href.startswith("#"):
            assert href[1:] in ids
        elif href is not None:
            assert (each.name, href) == ("link", "data:,") or (
                each.name == "a" and href.startswith("https://")
            )
    names = {each.name for each in elements}
    assert not names & {"script", "iframe", "object", "embed", "img", "base", "form", "video"}
    headings = [int(each.name[1]) for each in elements if re.fullmatch("h[1-6]", each.name)]
    assert headings[0] == 1
    assert headings.count(1) == 1
    assert all(later <= earlier + 1 for earlier, later in pairwise(headings))
    for each in root.all("svg"):
        labelled = each.attributes.get("role") == "img" and each.attributes.get("aria-label")
        assert labelled or each.attributes.get("aria-hidden") == "true"
    return root


def test_page_allows_its_own_style_and_nothing_else() -> None:
    root = check_page(render(report(STOP_TIMEOUT)))
    (policy,) = [
        each.attributes["content"]
        for each in root.all("meta")
        if each.attributes.get("http-equiv") == "Content-Security-Policy"
    ]
    digest = hashlib.sha256(root.one("style").text.encode()).digest()
    assert policy == (
        f"default-src 'none'; style-src 'sha256-{base64.b64encode(digest).decode()}'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )
    assert not re.search(r"url\(|@import|@font-face|expression", root.one("style").text)


@pytest.mark.parametrize("name", sorted(path.name for path in FIXTURES.iterdir()))
def test_page_of_every_fixture_is_sound(name: str) -> None:
    folder = FIXTURES / name
    root = check_page(page_of(folder))
    expected = (folder / "expected.txt").read_text(encoding="utf-8").splitlines()
    assert len(root.all("article")) == len([line for line in expected if line != "nothing"])


def test_same_run_makes_the_same_page() -> None:
    assert page_of(FIXTURES / "lesson") == page_of(FIXTURES / "lesson")


def test_chain_settings_and_findings_of_a_deployment(tmp_path: Path) -> None:
    files = {
        "shop.service": (
            "[Service]\nWorkingDirectory=/srv/shop\nExecStart=/srv/shop/start.sh\nTimeoutStopSec=20\n"
        ),
        "start.sh": "#!/bin/sh\nexec gunicorn --graceful-timeout 60 --max-requests 9 shop:app\n",
        "gunicorn.conf.py": "graceful_timeout = 45\nbind = '127.0.0.1:80'\n",
        "shop.py": "def app(environ, start_response): ...\n",
    }
    write(tmp_path, files)
    root = check_page(page_of(tmp_path))
    boxes = root.one("ol", "chain").all("li")
    assert [[each.one("span", "kind").text, each.one("b").text] for each in boxes] == [
        ["unit", "shop.service:3"],
        ["script", "start.sh:2"],
        ["command", "gunicorn"],
        ["config", "gunicorn.conf.py"],
        ["application", "shop.py"],
    ]
    (number,) = [link.attributes["href"] for link in boxes[0].all("a") if link.text == "GU203"]
    (article,) = [each for each in root.all("article") if f"#{each.attributes['id']}" == number]
    assert "systemd kills it after 20 s" in article.text
    cells = [
        [cell.text for cell in row.all("td") + row.all("th")] for row in root.one("tbody").all("tr")
    ]
    assert ["60", "start.sh:2:34, command line", "graceful_timeout"] in [
        [*row[:1], row[1].split("GU")[0], *row[2:]] for row in cells if len(row) == 3
    ]
    assert any(
        row[1] == "instead of 45" and row[2].startswith("gunicorn.conf.py:1:20") for row in cells
    )
    assert "SIGKILL by systemd, 20 s" in root.one("div", "ladder").text


def test_finding_beside_the_code() -> None:
    (article,) = read(report(STOP_TIMEOUT)).all("article")
    unit, config = article.all("figure")
    assert [line.text for line in unit.all("li")] == [
        "3ExecStart=/srv/start.sh",
        "4TimeoutStopSec=20",
        "SIGKILL 20 s after SIGTERM",
        "5KillMode=mixed",
    ]
    assert unit.one("mark", "own").text == "TimeoutStopSec=20"
    assert config.one("mark", "related").text == "120"
    assert article.one("h4").one("a").attributes["href"].endswith("/docs/rules/GU203.md")
    assert "high confidence" in article.text
    assert article.one("p", "help").text.startswith("What to do: set TimeoutStopSec=130")


def test_marks_of_one_line_and_within_each_other() -> None:
    source = Source("deploy/run.sh", "exec gunicorn -w 4 -k sync app\n")
    found = finding(
        at(source, "-k sync", "one each"), at(source, "sync", "the class"), at(source, "4", "so 4")
    )
    (article,) = read(report(found)).all("article")
    lines = article.one("ol").all("li")
    assert [line.text for line in lines] == [
        "1exec gunicorn -w 4 -k sync app",
        "4 so 4",
        "-k sync one each",
        "sync the class",
    ]
    assert [(mark.text, mark.attributes["class"]) for mark in lines[0].all("mark")] == [
        ("4", "related"),
        ("-k ", "own"),
        ("sync", "own"),
    ]


def test_no_lines_around_in_a_file_of_variables() -> None:
    source = Source("deploy/prod.env", "A=1\nWEB_CONCURRENCY=two\nPASSWORD=hunter2\n")
    page = render(report(finding(at(source, "two"))))
    assert "WEB_CONCURRENCY" in page
    assert "hunter2" not in page


def test_long_line_is_cut_around_each_mark() -> None:
    source = Source("deploy/run.sh", f"{'a' * 50_000}MARK{'b' * 50_000}\nEND{'c' * 100_000}\n")
    page = render(report(finding(at(source, "MARK"), at(source, "END", "near"))))
    assert len(page) < 30_000
    marks = [each.text for each in Reader(page).root.all("mark")]
    assert marks == ["MARK", "END"]


def test_fix_as_a_small_diff() -> None:
    text = "[Service]\nType=notify\nTimeoutStopSec=20\nKillMode=mixed\n" + "# more\n" * 50
    source = Source("deploy/app.service", text)
    span = at(source, "20").span
    end = source.span(len(text), len(text))
    fix = Fix("make it `130`", (Edit(span, "130"), Edit(end, "Restart=always\n")), safe=False)
    (details,) = read(report(finding(at(source, "20"), fix=fix))).all("details", "fix")
    assert details.one("summary").text == "Fix: make it 130 --fix --unsafe-fixes"
    lines = [(line.attributes["class"], line.text) for line in details.all("li")]
    assert lines == [
        ("kept", " Type=notify"),
        ("removed", "-TimeoutStopSec=20"),
        ("added", "+TimeoutStopSec=130"),
        ("kept", " KillMode=mixed"),
        ("kept", " # more"),
        ("added", "+Restart=always"),
    ]


def test_fix_of_a_huge_line_shows_where_it_changes() -> None:
    source = Source("deploy/run.sh", f"{'a' * 50_000} OLD {'b' * 50_000}\n")
    fix = Fix("", (Edit(at(source, "OLD").span, "NEW"),), safe=True)
    (details,) = read(report(finding(at(source, "OLD"), fix=fix))).all("details", "fix")
    removed, added = details.all("li")
    assert "OLD" in removed.text
    assert "NEW" in added.text
    assert len(details.text) < 400


def test_what_is_left_out_is_folded_and_counted() -> None:
    found = finding(at(UNIT, "notify"), message="hidden `once`")
    known = finding(at(CONFIG, "120"), message="known")
    of = report(suppressed=(suppressed(found, "we <b>know</b>"),), baselined=(known,))
    root = check_page(render(of))
    hidden = root.one("section", "hidden-ones")
    assert [each.text for each in hidden.all("summary")] == [
        "1 suppressed by comments",
        "1 known from the baseline",
    ]
    assert "hidden once" in hidden.text
    assert "(we <b>know</b>)" in hidden.text
    assert not any("open" in each.attributes for each in hidden.all("details"))
    assert root.one("p", "fine").text == "Nothing to mend."


def test_summary_has_switches_and_a_line_for_each_rule() -> None:
    note = rule("GU602", "public-bind", severity="note", summary="Anybody can connect.")
    first, second = finding(at(CONFIG, "120"), rule=note), finding(at(UNIT, "mixed"), rule=note)
    root = check_page(render(report(first, STOP_TIMEOUT, second)))
    assert [each.text for each in root.all("label")] == ["1 warning", "2 notes"]
    assert all("checked" in each.attributes for each in root.all("input"))
    lines = root.one("section", "found").all("li")
    assert [line.one("b").text for line in lines] == ["GU203", "GU602"]
    assert [each.text for each in lines[1].one("span", "places").all("a")] == [
        "gunicorn.conf.py:14",
        "app.service:5",
    ]


# escaping


@pytest.fixture(scope="module")
def hostile_page(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("hostile")
    write_hostile(folder)
    return page_of(folder)


def test_hostile_project_stays_text(hostile_page: str) -> None:
    root = check_page(hostile_page)
    text = root.text
    assert SCRIPT in text
    assert IMAGE.replace("/", "") in text
    assert {"script", "img", "b onclick"}.isdisjoint(each.name for each in root.all())
    assert len(root.all("title")) == len(root.all("style")) == 1


def test_no_character_hides_or_turns_anything(hostile_page: str) -> None:
    strange = set(re.findall(r"[^\n\x20-\x7e]", hostile_page))
    assert strange <= set("→↓▸▾"), strange
    assert "\\u202e" in hostile_page
    assert "\\udcff" in hostile_page


def test_page_can_be_written(hostile_page: str) -> None:
    hostile_page.encode("utf-8")
    assert max(map(len, hostile_page.splitlines())) < 200_000
    assert len(hostile_page) < 200_000


def test_secrets_are_masked_in_the_table_the_chain_and_the_code(hostile_page: str) -> None:
    assert SECRET not in hostile_page
    assert "abcdefgh" not in hostile_page
    assert "SECRET_KEY=************" in hostile_page


def test_markup_escapes_whatever_it_is_given() -> None:
    assert tag("p", "<b>&\"'", title='"><b>') == (
        '<p title="&quot;&gt;&lt;b&gt;">&lt;b&gt;&amp;&quot;&#x27;</p>'
    )
    assert tag("p", "a\0b\u202ec\ud800d\ne") == r"<p>a\x00b\u202ec\ud800d\ne</p>"
    assert inline("`<a>` and `b`") == "<code>&lt;a&gt;</code> and <code>b</code>"
    assert inline("one ` alone <") == "one ` alone &lt;"
    assert link("x", "javascript:alert(1)") == "x"
    assert link("x", 'https://e.org/"') == '<a href="https://e.org/&quot;" rel="noreferrer">x</a>'


@given(st.text(st.characters(), max_size=40))
def test_any_text_comes_back_as_the_terminal_would_show_it(text: str) -> None:
    found = Reader(tag("p", text, title=text)).root.one("p")
    assert found.text == found.attributes["title"] == escape(text)


def test_rule_of_a_team_links_nowhere_but_to_pages() -> None:
    own = rule("OPS001", "own", team=True, references=("javascript:alert(1)",))
    check_page(render(report(finding(at(UNIT, "notify"), rule=own))))


# the ladder


def situation(limit: float | None, *clocks: Clock, **fields: str) -> Situation:
    return Situation("Stop", clocks, limit, "", **fields)  # type: ignore[arg-type]


def rects(*situations: Situation) -> list[tuple[str | None, str | None, str | None]]:
    root = Reader(drawing.draw(situations, Mask())).root
    return [
        (each.attributes["class"], each.attributes["x"], each.attributes["width"])
        for each in root.all("rect")
    ]


def test_bars_are_to_scale() -> None:
    of = situation(20, Clock("graceful_timeout", 30), Clock("TimeoutStopSec", 20), by="systemd")
    other = situation(60, Clock("graceful_timeout", 30), Clock("timeout", 30, start=30))
    assert rects(of, other) == [
        ("request", "0%", "32.33%"),
        ("clock", "0%", "48.5%"),
        ("clock", "0%", "32.33%"),
        ("request", "0%", "97%"),
        ("clock", "0%", "48.5%"),
        ("clock", "48.5%", "48.5%"),
    ]


def test_mark_is_where_the_request_ends_in_every_rung() -> None:
    of = situation(20, Clock("graceful_timeout", 30), Clock("TimeoutStopSec", 20), by="systemd")
    root = Reader(drawing.draw([of], Mask())).root
    assert [each.attributes["x1"] for each in root.all("line", "end")] == ["64.67%"] * 3
    assert root.one("text", "end-text").text == "SIGKILL 20 s"
    assert root.all("b")[0].text == "request"
    assert "SIGKILL by systemd, 20 s" in root.text


def test_without_end_at_once_and_unknown() -> None:
    endless = situation(math.inf, Clock("timeout", math.inf, "0: no limit"))
    now = situation(0, Clock("graceful_timeout", 0, "0: no grace"), by="gunicorn")
    unknown = situation(None, Clock("graceful_timeout", None, "unknown: it depends"))
    late = situation(None, Clock("timeout", 30, start=None))
    never = situation(math.inf, Clock("timeout", 30, start=math.inf))
    assert rects(endless, now, unknown, late, never) == [
        ("request endless", "0%", "100%"),
        ("clock endless", "0%", "100%"),
        ("request", "0%", "0.4%"),
        ("clock", "0%", "0.4%"),
        ("unknown", "0%", "97%"),
        ("unknown", "0%", "97%"),
        ("unknown", "0%", "97%"),
        ("unknown", "0%", "97%"),
        ("request endless", "0%", "100%"),
    ]
    text = Reader(drawing.draw([endless, now, unknown, never], Mask())).root.text
    assert "SIGKILL at once" in text
    assert "unknown: it depends" in text
    assert "never begins" in text


def test_very_long_limit_runs_off_the_axis() -> None:
    of = situation(30, Clock("graceful_timeout", 30), Clock("TimeoutStopSec", 86400))
    assert drawing.axis([of]) == drawing.Axis(30, 5)
    assert rects(of)[2] == ("clock endless", "0%", "100%")
    beyond = situation(86400, Clock("graceful_timeout", 86400), Clock("TimeoutStopSec", 30))
    root = Reader(drawing.draw([beyond], Mask())).root
    assert root.one("text", "end-text").text == "SIGKILL 86400 s →"
    assert not root.all("line", "end")


@pytest.mark.parametrize("longest", [1, 2, 7, 30, 59, 61, 90, 120, 600, 3601, 86400, 10**9])
def test_axis_reaches_the_longest_limit_with_few_marks(longest: int) -> None:
    axis = drawing.axis([situation(longest, Clock("timeout", longest))])
    assert longest <= axis.end < longest + axis.step
    assert 1 < len(axis.ticks) <= 8


# the command line


def test_command_writes_the_page(tmp_path: Path) -> None:
    write(tmp_path, {"start.sh": "#!/bin/sh\nexec gunicorn --timeout 0 shop:app\n"})
    target = tmp_path / "report.html"
    arguments = ["check", str(tmp_path), "--format", "html", "--output-file", str(target)]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 1
    assert not result.output
    root = check_page(target.read_text(encoding="utf-8"))
    assert len(root.all("ol", "chain")) == 1
    fixing = CliRunner().invoke(main, [*arguments, "--fix"])
    assert fixing.exit_code in (0, 1)
    assert len(check_page(target.read_text(encoding="utf-8")).all("ol", "chain")) == 1


def test_clean_run_is_a_page_too() -> None:
    assert check_page(render(report())).one("p", "fine")


def test_secrets_of_every_branch_and_of_what_is_overridden(tmp_path: Path) -> None:
    config = (
        "import os\n"
        "if os.path.exists('/live'):\n    raw_env = ['TOKEN=zT4-9fQk2mXw']\n"
        "else:\n    raw_env = ['TOKEN=' + 'n4bQgYhM' + 'fWWaL28']\n"
    )
    start = "#!/bin/sh\nexec gunicorn -w 2 -e TOKEN=Rk92-xqT7pLz shop:app\n"
    write(tmp_path, {"gunicorn.conf.py": config, "start.sh": start})
    page = page_of(tmp_path)
    assert "TOKEN=" in page
    for secret in ("zT4-9fQk2mXw", "n4bQgYhMfWWaL28", "Rk92-xqT7pLz"):
        assert secret not in page
