"""Keeping secrets out of reports.

They are overwritten wherever a report could show them, in what findings say and in the lines of
source around any finding, before a format sees them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from msgspec.structs import replace

from gunilint.command import Label
from gunilint.deployment import Setting
from gunilint.findings import Edit, Finding, Fix
from gunilint.regex import regex
from gunilint.source import Source, Span
from gunilint.values import Known, OneOf, Refused, Single, Value

_MASKED = regex(r"[^\r\n]")


def masked(findings: Iterable[Finding], secrets: Iterable[str]) -> tuple[Finding, ...]:
    """The findings with every occurrence of `secrets` overwritten, in place and length the same."""
    return tuple(map(Mask(secrets).finding, findings))


def masked_text(text: str, secrets: Iterable[str]) -> str:
    """A text with every occurrence of `secrets` overwritten."""
    return Mask(secrets).text(text)


class Mask:
    """Overwrites secrets; each source is done once. Without secrets it leaves all as it is."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        hidden = {secret for secret in secrets if secret.strip()}
        longest_first = sorted(hidden, key=len, reverse=True)
        self._secret = re.compile("|".join(map(re.escape, longest_first))) if hidden else None
        self._sources: dict[Source, Source] = {}

    def finding(self, finding: Finding) -> Finding:
        """A finding, with the lines of source around all its places."""
        if self._secret is None:
            return finding
        return replace(
            finding,
            message=self.text(finding.message),
            primary=self._label(finding.primary),
            related=tuple(map(self._label, finding.related)),
            chain=tuple(map(self._label, finding.chain)),
            help=None if finding.help is None else self.text(finding.help),
            fix=None if finding.fix is None else self._fix(finding.fix),
        )

    def setting(self, setting: Setting) -> Setting:
        """A setting, with all that it overrides; its places show the masked sources."""
        if self._secret is None:
            return setting
        return replace(
            setting,
            value=self._value(setting.value),
            span=None if setting.span is None else self.span(setting.span),
            overridden=tuple(map(self.setting, setting.overridden)),
        )

    def span(self, span: Span) -> Span:
        """The same place in the masked source."""
        return Span(self.source(span.source), span.start, span.end)

    def source(self, source: Source) -> Source:
        """A source of the same length and with the same lines."""
        if source not in self._sources:
            text = self.text(source.text)
            same = text == source.text
            self._sources[source] = source if same else replace(source, text=text, masked=True)
        return self._sources[source]

    def text(self, text: str) -> str:
        """A text."""
        if self._secret is None:
            return text
        return self._secret.sub(lambda found: _MASKED.sub("*", found[0]), text)

    def plain(self, value: Any) -> Any:
        """A value as JSON has it, with every text in it overwritten; keys stay as they are."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list):
            return [self.plain(item) for item in value]
        if isinstance(value, dict):
            return {key: self.plain(item) for key, item in value.items()}
        return value

    def _fix(self, fix: Fix) -> Fix:
        """The fix without edits if one writes a secret: a reader would put stars in its place."""
        title = self.text(fix.title)
        if any(self.text(edit.replacement) != edit.replacement for edit in fix.edits):
            return Fix(title, (), fix.safe)
        edits = (Edit(self.span(edit.span), edit.replacement) for edit in fix.edits)
        return Fix(title, tuple(edits), fix.safe)

    def _label(self, label: Label) -> Label:
        return Label(self.span(label.span), self.text(label.text))

    def _value(self, value: Value) -> Value:
        if isinstance(value, OneOf):
            return OneOf(tuple(replace(o, value=self._single(o.value)) for o in value.options))
        return self._single(value)

    def _single(self, value: Single) -> Single:
        if isinstance(value, Known | Refused):
            return replace(value, value=self.plain(value.value))
        return value
