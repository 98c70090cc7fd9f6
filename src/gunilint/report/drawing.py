"""The stop ladder as a drawing: bars to scale on one axis of seconds.

Places are percentages, so that the bars have the width of the page and the words their own size.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct

from gunilint.ladder import Clock, Situation
from gunilint.masking import Mask
from gunilint.report.markup import Markup, inline, join, tag

_WIDEST = 40
"""How many times the shortest limit the axis shows; what is longer runs off its end."""
_TICKS = 6
_HEIGHT = 26
_END = 97.0
"""The percentage at which the axis ends; behind it is what has no end."""


class Axis(Struct, frozen=True):
    """Seconds from 0 up to `end`, with a mark at every `step`."""

    end: float
    step: float

    def at(self, seconds: float) -> float:
        """The percentage where so many seconds are; what is longer is behind the end."""
        return 100.0 if seconds > self.end else seconds / self.end * _END

    @property
    def ticks(self) -> list[float]:
        """Where the marks are, in seconds."""
        return [index * self.step for index in range(round(self.end / self.step) + 1)]


def axis(situations: Iterable[Situation]) -> Axis:
    """The axis that all of some situations share."""
    found: set[float] = set()
    for situation in situations:
        found |= {
            limit
            for clock in situation.clocks
            for limit in (clock.seconds, _stop(clock))
            if limit is not None
        }
        found |= {situation.limit} if situation.limit is not None else set()
    lengths = sorted(length for length in found if 0 < length < math.inf)
    if not lengths:
        return Axis(60.0, 10.0)
    longest = max(length for length in lengths if length <= _WIDEST * lengths[0])
    step = _nice(longest / _TICKS)
    return Axis(math.ceil(longest / step) * step, step)


def _stop(clock: Clock) -> float | None:
    """When a clock that starts later has run out."""
    if clock.start is None or clock.seconds is None:
        return None
    return clock.start + clock.seconds


def _nice(step: float) -> float:
    """The least of 1, 2, 5, 10, 15, 20, 30, 60 … that isn't below `step`."""
    steps = (1.0, 2.0, 5.0, 10.0, 15.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0)
    for nice in steps:
        if nice >= step:
            return nice
    return math.ceil(step / 3600) * 3600.0


def seconds(number: float) -> str:
    """A number of seconds in words."""
    return f"{number:g} s" if number < 1e6 else f"{number:.0f} s"


def draw(situations: Sequence[Situation], mask: Mask) -> Markup:
    """The ladder of a deployment."""
    scale = axis(situations)
    return tag(
        "div",
        _scale(scale),
        [_situation(situation, scale, mask) for situation in situations],
        class_="ladder",
    )


def _scale(scale: Axis) -> Markup:
    ticks = scale.ticks
    texts = [
        tag("text", f"{tick:g}" + (" s" if tick == ticks[-1] else ""), x=_at(scale.at(tick)), y=14,
            text_anchor="start" if tick == 0 else "middle")
        for tick in ticks
    ]  # fmt: skip
    drawing = tag("svg", texts, width="100%", height=20, aria_hidden="true")
    return tag("div", tag("span", "seconds", class_="name"), drawing, class_="rung scale")


def _situation(situation: Situation, scale: Axis, mask: Mask) -> Markup:
    rungs = [_request(situation, scale)]
    rungs += [_rung(clock, situation, scale, mask) for clock in situation.clocks]
    return tag(
        "section",
        tag("h4", mask.text(situation.title)),
        tag("p", inline(mask.text(situation.text)), class_="why"),
        rungs,
        class_="situation",
    )


def _request(situation: Situation, scale: Axis) -> Markup:
    """How long the request may go on, and what ends it."""
    limit = situation.limit
    if limit is None:
        said, bar = "unknown", _open("unknown")
    elif limit == math.inf:
        said, bar = "no limit", _bar("request endless", 0, 100)
    else:
        said = outcome(situation)
        bar = join(_bar("request", 0, scale.at(limit)), _mark(situation, scale))
    return _row("request", said, "", bar, situation, scale, f"The request: {said}")


def outcome(situation: Situation) -> str:
    """What ends a request that goes on too long, and when."""
    assert situation.limit is not None
    by = f" by {situation.by}" if situation.by else ""
    when = seconds(situation.limit) if situation.limit else "at once"
    return f"{situation.end}{by}, {when}"


def _rung(clock: Clock, situation: Situation, scale: Axis, mask: Mask) -> Markup:
    if clock.seconds is None or clock.start is None:
        value, bar = "", _open("unknown")
    elif clock.start == math.inf:
        value, bar = "never begins", join()
    else:
        stop = clock.start + clock.seconds
        endless = " endless" if stop > scale.end else ""
        value = "" if clock.seconds == math.inf else seconds(clock.seconds)
        start, end = scale.at(clock.start), scale.at(stop)
        bar = _bar(f"clock{endless}" if clock.counts else f"clock idle{endless}", start, end)
    note = mask.text(clock.note)
    if not clock.counts:
        note = ", ".join(filter(None, (note, "doesn't count")))
    about = ", ".join(filter(None, (clock.name, value, note)))
    return _row(clock.name, value, note, bar, situation, scale, about)


def _row(
    name: str,
    value: str,
    note: str,
    bar: Markup,
    situation: Situation,
    scale: Axis,
    about: str,
) -> Markup:
    drawing = tag(
        "svg",
        list(_grid(scale)),
        bar,
        _line(situation, scale),
        width="100%",
        height=_HEIGHT,
        role="img",
        aria_label=about,
    )
    words = tag(
        "span",
        tag("b", name),
        tag("span", value, class_="value") if value else None,
        tag("span", inline(note), class_="note-text") if note else None,
        class_="name",
    )
    kind = " of-request" if name == "request" else ""
    return tag("div", words, drawing, class_=f"rung{kind}")


def _grid(scale: Axis) -> Iterator[Markup]:
    for tick in scale.ticks:
        x = _at(scale.at(tick))
        yield tag("line", x1=x, x2=x, y1=0, y2="100%", class_="grid")


def _line(situation: Situation, scale: Axis) -> Markup | None:
    """The moment at which the request ends, through all rungs."""
    if situation.limit is None or situation.limit > scale.end:
        return None
    x = _at(scale.at(situation.limit))
    return tag("line", x1=x, x2=x, y1=0, y2="100%", class_="end")


def _mark(situation: Situation, scale: Axis) -> Markup:
    """The words at that moment, on the side that has room."""
    assert situation.limit is not None
    place = scale.at(situation.limit)
    left = place > 75
    when = seconds(situation.limit) if situation.limit else "at once"
    words = f"{situation.end} {when}" + (" →" if place == 100 else "")
    return join(
        tag("circle", cx=_at(place), cy=_HEIGHT // 2, r=4, class_="end-dot"),
        tag("text", words, x=_at(place), y=17, dx=-9 if left else 9,
            text_anchor="end" if left else "start",
            class_="end-text within" if left else "end-text"),
    )  # fmt: skip


def _bar(kind: str, start: float, end: float) -> Markup:
    """A bar between two percentages; one of no length is still to be seen."""
    width = max(end - start, 0.4)
    y, height = (4, _HEIGHT - 8) if kind.startswith("request") else (8, _HEIGHT - 16)
    bar = tag("rect", x=_at(start), y=y, width=_at(width), height=height, rx=2, class_=kind)
    if "endless" not in kind:
        return bar
    return join(bar, tag("text", "→", x="100%", y=18, text_anchor="end", class_="arrow"))


def _open(kind: str) -> Markup:
    """What stands for a length that isn't known."""
    return join(
        tag("rect", x="0%", y=5, width=_at(_END), height=_HEIGHT - 10, rx=2, class_=kind),
        tag("text", "?", x="0%", dx=10, y=18, class_="open"),
    )


def _at(percentage: float) -> str:
    return f"{percentage:.2f}".rstrip("0").rstrip(".") + "%"
