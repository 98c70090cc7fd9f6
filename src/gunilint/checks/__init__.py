"""The checks that rules name, one module a topic.

A check is a pure function from a `Deployment` or a `Project`, and the parameters that the rule's
file gives under `with`, to `Hit`s. All words come from the rule's file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from gunilint.command import Label
from gunilint.deployment import Deployment, Project, Setting
from gunilint.source import Span

Parameters: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Hit:
    """A place that a check objects to.

    `values` fill the rule's texts. `related` names, for each further place, the rule's label for
    it, or carries the label itself. `variant` chooses among the rule's variants. `assumes` is
    what the hit rests on.
    """

    span: Span
    values: Mapping[str, object] = field(default_factory=dict)
    related: tuple[tuple[str, Span] | Label, ...] = ()
    variant: str | None = None
    assumes: tuple[str, ...] = ()


DeploymentCheck: TypeAlias = Callable[[Deployment, Parameters], Iterator[Hit]]
ProjectCheck: TypeAlias = Callable[[Project, Parameters], Iterator[Hit]]


def deployment_checks() -> dict[str, DeploymentCheck]:
    """The checks that look at one deployment, by the name that rules use."""
    from gunilint.checks import config_file, lifecycle, settings, systemd, timeouts, workers

    return {
        "accidental-setting": config_file.accidental_setting,
        "asgi-app-on-wsgi-worker": workers.asgi_app_on_wsgi_worker,
        "daemonized-under-supervisor": systemd.daemonized_under_supervisor,
        "directive-is": systemd.directive_is,
        "directive-missing": systemd.directive_missing,
        "forking-without-daemon": systemd.forking_without_daemon,
        "invalid-value": config_file.invalid_value,
        "option-refused": config_file.option_refused,
        "not-restarted": systemd.not_restarted,
        "notify-from-wrong-process": systemd.notify_from_wrong_process,
        "preload-with-async-resource": lifecycle.preload_with_async_resource,
        "preload-with-reload": lifecycle.preload_with_reload,
        "reload-outside-development": lifecycle.reload_outside_development,
        "requirement-not-ordered": systemd.requirement_not_ordered,
        "runs-as-root": systemd.runs_as_root,
        "setting-is": settings.setting_is,
        "stop-timeout-too-short": systemd.stop_timeout_too_short,
        "timeout-below-graceful-timeout": timeouts.timeout_below_graceful_timeout,
        "unknown-setting": config_file.unknown_setting,
    }


def project_checks() -> dict[str, ProjectCheck]:
    """The checks that look at a whole project, by the name that rules use."""
    from gunilint.checks import config_file, systemd

    return {
        "overridden-setting": config_file.overridden_setting,
        "reload-unavailable": systemd.reload_unavailable,
        "unparsable-file": config_file.unparsable_file,
    }


def assumptions(*settings: Setting) -> tuple[str, ...]:
    """What the values of `settings` rest on, without repetition."""
    return tuple(dict.fromkeys(text for setting in settings for text in setting.assumes))


def written(*pairs: tuple[str, Setting]) -> tuple[tuple[str, Span], ...]:
    """A related place for each setting that is written somewhere."""
    return tuple((key, setting.span) for key, setting in pairs if setting.span is not None)
