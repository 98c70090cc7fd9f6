"""The checks that rules name, one module a topic.

A check is a pure function from a `Deployment` or a `Project`, and the parameters that the rule's
file gives under `with`, to `Hit`s. All words come from the rule's file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

from msgspec import Struct, field

from gunilint.command import Label
from gunilint.deployment import Deployment, Project, Setting
from gunilint.source import Span
from gunilint.suppress import Judged

Parameters: TypeAlias = Mapping[str, Any]


class Hit(Struct, frozen=True):
    """A place that a check objects to.

    `values` fill the rule's texts. `related` names, for each further place, the rule's label for
    it, or carries the label itself. `variant` chooses among the rule's variants. `assumes` is
    what the hit rests on. `deletes` are spans that can go, with no trace left and nothing else
    changed; deleting them all mends the hit.
    """

    span: Span
    values: Mapping[str, object] = field(default_factory=dict)
    related: tuple[tuple[str, Span] | Label, ...] = ()
    variant: str | None = None
    assumes: tuple[str, ...] = ()
    deletes: tuple[Span, ...] = ()


DeploymentCheck: TypeAlias = Callable[[Deployment, Parameters], Iterator[Hit]]
ProjectCheck: TypeAlias = Callable[[Project, Parameters], Iterator[Hit]]
SuppressionCheck: TypeAlias = Callable[[Judged, Parameters], Iterator[Hit]]


def deployment_checks() -> dict[str, DeploymentCheck]:
    """The checks that look at one deployment, by the name that rules use."""
    from gunilint.checks import (
        config_file,
        exposure,
        forking,
        lifecycle,
        logs,
        sandbox,
        scripts,
        settings,
        signals,
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
        "control-socket-unwritable": sandbox.control_socket_unwritable,
        "daemonized-under-supervisor": systemd.daemonized_under_supervisor,
        "debug-exposed": exposure.debug_exposed,
        "directive-is": systemd.directive_is,
        "directive-missing": systemd.directive_missing,
        "environment-not-expanded": units.environment_not_expanded,
        "errors-ignored-before-start": scripts.errors_ignored_before_start,
        "forking-without-daemon": systemd.forking_without_daemon,
        "forwarded-allow-ips-any": exposure.forwarded_allow_ips_any,
        "gevent-with-preload": workers.gevent_with_preload,
        "hook-is-coroutine": workers.hook_is_coroutine,
        "invalid-value": config_file.invalid_value,
        "legacy-directive": units.legacy_directive,
        "log-level": logs.log_level,
        "log-targets-swapped": logs.log_targets_swapped,
        "loop-bound-at-import": forking.loop_bound_at_import,
        "network-not-ordered": systemd.network_not_ordered,
        "no-exec-reload": signals.no_exec_reload,
        "not-restarted": systemd.not_restarted,
        "notify-from-wrong-process": systemd.notify_from_wrong_process,
        "option-refused": config_file.option_refused,
        "preload-with-async-resource": forking.preload_with_async_resource,
        "preload-with-forked-state": forking.preload_with_forked_state,
        "preload-with-reload": lifecycle.preload_with_reload,
        "python-config-with-reload": lifecycle.python_config_with_reload,
        "quick-stop": signals.quick_stop,
        "reassigned-setting": config_file.reassigned_setting,
        "reload-outside-development": lifecycle.reload_outside_development,
        "removed-setting": config_file.removed_setting,
        "removed-worker-class": workers.removed_worker_class,
        "repeated-option": config_file.repeated_option,
        "requirement-not-ordered": systemd.requirement_not_ordered,
        "runs-as-root": systemd.runs_as_root,
        "sandbox-kills-gunicorn": sandbox.sandbox_kills_gunicorn,
        "scheduler-in-every-worker": forking.scheduler_in_every_worker,
        "secret-in-deployment-file": exposure.secret_in_deployment_file,
        "setting-is": settings.setting_is,
        "setting-without-effect": config_file.without_effect,
        "signal-to-shell": signals.signal_to_shell,
        "single-worker": workers.single_worker,
        "socket-unit-conflict": units.socket_unit_conflict,
        "start-never-completes": systemd.start_never_completes,
        "stop-timeout-too-short": systemd.stop_timeout_too_short,
        "timeout-below-graceful-timeout": timeouts.timeout_below_graceful_timeout,
        "timeout-too-short": timeouts.timeout_too_short,
        "tls-misconfigured": exposure.tls_misconfigured,
        "too-many-workers": workers.too_many_workers,
        "trap-without-second-wait": scripts.trap_without_second_wait,
        "truth-of-variable": config_file.truth_of_variable,
        "type-not-notify": units.type_not_notify,
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
    from gunilint.checks import (
        config_file,
        exposure,
        logs,
        references,
        scripts,
        signals,
        surroundings,
        systemd,
        units,
        workers,
    )

    return {
        "app-module-not-found": references.app_module_not_found,
        "binary-upgrade": signals.binary_upgrade,
        "broken-continuation": scripts.broken_continuation,
        "commands-after-exec": scripts.commands_after_exec,
        "config-not-found": references.config_not_found,
        "cpu-count-in-container": surroundings.cpu_count_in_container,
        "crlf-script": scripts.crlf_script,
        "development-server": scripts.development_server,
        "env-file-optional": units.env_file_optional,
        "ignored-directive": units.ignored_directive,
        "keepalive-below-proxy": surroundings.keepalive_below_proxy,
        "log-dir-missing": logs.log_dir_missing,
        "missing-worker-dependency": workers.missing_worker_dependency,
        "no-working-directory": units.no_working_directory,
        "overridden-setting": config_file.overridden_setting,
        "pid-file-mismatch": signals.pid_file_mismatch,
        "public-bind": exposure.public_bind,
        "reload-unavailable": systemd.reload_unavailable,
        "shell-syntax-in-exec": units.shell_syntax_in_exec,
        "socket-dir-missing": units.socket_dir_missing,
        "unparsable-file": config_file.unparsable_file,
        "venv-not-activated": scripts.venv_not_activated,
    }


def suppression_checks() -> dict[str, SuppressionCheck]:
    """The checks that look at one suppression, after all others; by the name that rules use."""
    from gunilint.checks import suppressions

    return {
        "suppression-without-reason": suppressions.without_reason,
        "unknown-rule-in-suppression": suppressions.unknown_rule,
        "unused-suppression": suppressions.unused,
    }


def assumptions(*settings: Setting) -> tuple[str, ...]:
    """What the values of `settings` rest on, without repetition."""
    return tuple(dict.fromkeys(text for setting in settings for text in setting.assumes))


def written(*pairs: tuple[str, Setting]) -> tuple[tuple[str, Span], ...]:
    """A related place for each setting that is written somewhere."""
    return tuple((key, setting.span) for key, setting in pairs if setting.span is not None)
