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
    from gunilint.checks import (
        config_file,
        exposure,
        lifecycle,
        logs,
        settings,
        systemd,
        timeouts,
        units,
        workers,
    )

    return {
        "accidental-setting": config_file.accidental_setting,
        "asgi-app-on-wsgi-worker": workers.asgi_app_on_wsgi_worker,
        "bad-access-log-format": logs.bad_access_log_format,
        "bad-bind-address": exposure.bad_bind_address,
        "daemonized-under-supervisor": systemd.daemonized_under_supervisor,
        "directive-is": systemd.directive_is,
        "directive-missing": systemd.directive_missing,
        "environment-not-expanded": units.environment_not_expanded,
        "forking-without-daemon": systemd.forking_without_daemon,
        "forwarded-allow-ips-any": exposure.forwarded_allow_ips_any,
        "gevent-with-preload": workers.gevent_with_preload,
        "hook-is-coroutine": workers.hook_is_coroutine,
        "ignored-directive": units.ignored_directive,
        "invalid-value": config_file.invalid_value,
        "legacy-directive": units.legacy_directive,
        "log-level": logs.log_level,
        "log-targets-swapped": logs.log_targets_swapped,
        "no-workers": workers.no_workers,
        "no-working-directory": units.no_working_directory,
        "not-restarted": systemd.not_restarted,
        "notify-from-wrong-process": systemd.notify_from_wrong_process,
        "option-refused": config_file.option_refused,
        "pid-file-mismatch": units.pid_file_mismatch,
        "preload-with-async-resource": lifecycle.preload_with_async_resource,
        "preload-with-reload": lifecycle.preload_with_reload,
        "reassigned-setting": config_file.reassigned_setting,
        "reload-outside-development": lifecycle.reload_outside_development,
        "removed-worker-class": workers.removed_worker_class,
        "repeated-option": config_file.repeated_option,
        "requirement-not-ordered": systemd.requirement_not_ordered,
        "runs-as-root": systemd.runs_as_root,
        "setting-is": settings.setting_is,
        "setting-without-effect": config_file.without_effect,
        "shell-syntax-in-exec": units.shell_syntax_in_exec,
        "signal-to-shell": units.signal_to_shell,
        "single-worker": workers.single_worker,
        "socket-dir-missing": units.socket_dir_missing,
        "stop-timeout-too-short": systemd.stop_timeout_too_short,
        "timeout-below-graceful-timeout": timeouts.timeout_below_graceful_timeout,
        "tls-misconfigured": exposure.tls_misconfigured,
        "unexpanded-variable": config_file.unexpanded_variable,
        "unknown-setting": config_file.unknown_setting,
        "unknown-worker-class": workers.unknown_worker_class,
        "vulnerable-gunicorn": exposure.vulnerable_gunicorn,
        "web-concurrency-invalid": config_file.web_concurrency_invalid,
        "world-writable-socket": exposure.world_writable_socket,
        "wsgi-app-on-asgi-worker": workers.wsgi_app_on_asgi_worker,
    }


def project_checks() -> dict[str, ProjectCheck]:
    """The checks that look at a whole project, by the name that rules use."""
    from gunilint.checks import config_file, scripts, systemd, units

    return {
        "broken-continuation": scripts.broken_continuation,
        "commands-after-exec": scripts.commands_after_exec,
        "crlf-script": scripts.crlf_script,
        "overridden-setting": config_file.overridden_setting,
        "reload-unavailable": systemd.reload_unavailable,
        "socket-unit-conflict": units.socket_unit_conflict,
        "type-not-notify": units.type_not_notify,
        "unparsable-file": config_file.unparsable_file,
    }


def assumptions(*settings: Setting) -> tuple[str, ...]:
    """What the values of `settings` rest on, without repetition."""
    return tuple(dict.fromkeys(text for setting in settings for text in setting.assumes))


def written(*pairs: tuple[str, Setting]) -> tuple[tuple[str, Span], ...]:
    """A related place for each setting that is written somewhere."""
    return tuple((key, setting.span) for key, setting in pairs if setting.span is not None)
