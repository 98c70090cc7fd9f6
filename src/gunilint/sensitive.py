"""What in a deployment's files is secret: literal passwords, keys and tokens in variables."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from gunilint.deployment import Deployment
from gunilint.regex import regex
from gunilint.source import Source, Span
from gunilint.values import Known, possibilities

_NAMES = frozenset(
    """
    SECRET PASSWORD PASSWD PASSPHRASE PASS PWD TOKEN CREDENTIALS APIKEY API_KEY ACCESS_KEY
    PRIVATE_KEY ENCRYPTION_KEY SIGNING_KEY ACCOUNT_KEY
    """.split()
)
"""Words of a variable's name, joined by `_`, that make it a secret's."""
_OTHERS = frozenset(
    """
    AGE ALG ALGORITHM AUDIENCE BACKEND CLASS DAYS DIR ENABLED ENDPOINT EXPIRATION EXPIRE
    EXPIRES EXPIRY FILE HASHER HEADER HOURS ID ISSUER LENGTH LIFETIME MINUTES NAME PATH POLICY
    PREFIX PUBLIC PUBLISHABLE REGION SECONDS TTL TYPE URI URL VERSION
    """.split()
)
"""Words that unmake it: the name speaks of something about a secret."""
_PLACEHOLDERS = frozenset(
    """
    123456 abcdef change default demo dummy example fake fixme goes-here goes_here hidden
    insecure local passw placeholder qwert redacted replace sample some- some_ test todo xxx
    *** ... your
    """.split()
)
"""What a value that stands for a secret has in it."""

_ENVIRONMENT_FILE = regex(r"(^|/|\.)env(\.[^/]*)?$")
_IN_URL = regex(r"[A-Za-z][A-Za-z0-9+.-]*://[^\s/:@]*:([^\s@]+)@")
_REFERENCE = regex(r"[/.~$%<{(!]|[a-z][\w.-]*:|ENC\[|projects/")
_TEMPLATE = regex(r"\$[({A-Za-z]|\{\{|<[^>]{0,200}>|://")
_WORDS = regex(r"[^0-9]*[0-9]{0,4}[^A-Za-z0-9]*")
_NUMBERS = regex(r"[0-9][0-9.,:_+-]*")
_KEY = "PRIVATE KEY-----"
_SHORTEST = 8
_VARIETY = 6
"""The different characters that a secret has at least."""


class Variable(Struct, frozen=True):
    """A variable that the files of a deployment set to a text that they hold themselves.

    `places` are where the text may stand, best first. `aside` says that an environment file sets
    it, which needn't be part of the repository.
    """

    name: str
    text: str
    places: tuple[Span, ...]
    aside: bool = False

    def find(self, text: str) -> Span | None:
        """Where a part of its text is written; None where it is put together."""
        for place in self.places:
            start = place.text.find(text)
            if start >= 0:
                return Span(place.source, place.start + start, place.start + start + len(text))
        return None


def variables(deployment: Deployment) -> Iterator[Variable]:
    """What the launch's environment and `raw_env` set."""
    own = _sources(deployment)
    launch = deployment.launch
    for name, value in launch.command.environment.items() if launch else ():
        if isinstance(value, Known) and isinstance(value.value, str) and not _defaults(value):
            places = tuple(span for span in value.via if span.source in own)
            yield Variable(name, value.value, places or value.via, aside=not places)
    raw = deployment.settings.get("raw_env")
    if raw is None or raw.span is None or not isinstance(raw.known, list):
        return
    everywhere = tuple(source.span(0, len(source.text)) for source in own)
    for item in raw.known:
        name, _, text = str(item).partition("=")
        found = Variable(name, str(item), (raw.span, *everywhere)).find(str(item))
        if found is not None:
            start = found.start + len(name) + 1
            yield Variable(name, text, (Span(found.source, start, found.end),))


def _sources(deployment: Deployment) -> tuple[Source, ...]:
    """The files that start the deployment and configure it."""
    launch, config = deployment.launch, deployment.config
    found = [config.source] if config else []
    if launch is not None:
        found += [label.span.source for label in launch.chain]
        found += launch.unit.sources if launch.unit else ()
        values = launch.command.environment.values()
        spans = [span for value in values if isinstance(value, Known) for span in value.via]
        found += [span.source for span in spans if span.source.path.endswith((".sh", ".bash"))]
    return tuple(dict.fromkeys(source for source in found if not is_environment_file(source.path)))


def is_environment_file(path: str) -> bool:
    """Whether a file's name says that it holds variables, as `.env` and `prod.env` do."""
    return _ENVIRONMENT_FILE.search(path) is not None


def _defaults(value: Known) -> bool:
    """Whether a value is what counts only as long as nothing sets a variable."""
    return any(text.endswith("is unset") for text in value.assumes)


class Secret(Struct, frozen=True):
    """A literal secret: its variable, its text, which may be a URL's password, and its place."""

    variable: Variable
    text: str
    span: Span
    in_url: bool


def secrets(deployment: Deployment) -> Iterator[Secret]:
    """The literal secrets in the files that start and configure a deployment.

    Values that are short, or made of words and a few digits, are passwords of examples and tests.
    """
    for variable in variables(deployment):
        text, in_url = _password(variable.name, variable.text)
        span = variable.find(text) if text is not None else None
        if text is not None and span is not None:
            yield Secret(variable, text, span, in_url)


def hidden_texts(deployment: Deployment) -> Iterator[str]:
    """What no report may show: literal secrets, put together or not, as values and as written."""
    named = [(variable.name, variable.text) for variable in variables(deployment)]
    named += [(name, text) for name, _, text in (item.partition("=") for item in _raw(deployment))]
    for name, value in named:
        text, _ = _password(name, value)
        if text is not None:
            yield text
            yield repr(text)[1:-1]


def _raw(deployment: Deployment) -> Iterator[str]:
    """All that `raw_env` may have in it, and what it overrides."""
    raw = deployment.settings.get("raw_env")
    for setting in (raw, *raw.overridden) if raw is not None else ():
        for option in possibilities(setting.value):
            value = option.value
            if isinstance(value, Known) and isinstance(value.value, list):
                yield from map(str, value.value)


def _password(name: str, value: str) -> tuple[str | None, bool]:
    """The secret in a variable's value, None where there is none, and whether it is a URL's."""
    in_url = _IN_URL.match(value)
    text = in_url[1] if in_url else value
    is_meant = in_url is not None or _is_secretive(name)
    return text if is_meant and is_literal_secret(text) else None, in_url is not None


def _is_secretive(name: str) -> bool:
    words = set(name.upper().split("_"))
    return words.isdisjoint(_OTHERS) and any(words.issuperset(each.split("_")) for each in _NAMES)


def is_literal_secret(text: str) -> bool:
    """Whether a text is a real secret, as far as its looks tell."""
    if _KEY in text:
        return True
    if len(text) < _SHORTEST or len(set(text)) < _VARIETY or not text.isprintable() or " " in text:
        return False
    if _REFERENCE.match(text) or _TEMPLATE.search(text):
        return False
    if _WORDS.fullmatch(text) or _NUMBERS.fullmatch(text):
        return False
    lowered = text.lower()
    return not any(word in lowered for word in _PLACEHOLDERS)
