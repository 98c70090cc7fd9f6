"""What gunicorn's master has made and used by the time it forks its workers.

The master runs the config file, with `preload_app` the application too, and some hooks. What
`post_fork` closes, or the application itself after a fork, no worker inherits.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from gunilint.application import split_spec
from gunilint.import_time import ImportTime, Resource, Use
from gunilint.modules import Files, Module, Modules, parsed
from gunilint.source import Source

BEFORE_FORK = ("on_starting", "when_ready", "pre_fork")
"""The hooks that run in the master before a worker is forked from it."""
IN_WORKER = ("post_fork", "post_worker_init")


class Forked(Struct, frozen=True):
    """What workers inherit from the master.

    `loops` are event loops that were run with something that can't be followed.
    """

    resources: tuple[Resource, ...] = ()
    loops: tuple[Use, ...] = ()


def forked(spec: str | None, config: Source | None, folders: Sequence[str], files: Files) -> Forked:
    """What a master leaves to its workers.

    It loads the application `spec` before it forks, which it does with `preload_app` alone, and
    runs `config`.
    """
    importing = ImportTime(Modules(files, folders))
    try:
        hooks = importing.run(_module(config)) if config is not None else None
        if spec is not None:
            parts = split_spec(spec)
            application = importing.member(parts.module, parts.object)
            module = importing.modules.get(parts.module)
            if parts.called and module is not None:
                importing.call(application, module.source.first_line())
        for name in (*BEFORE_FORK, *IN_WORKER):
            hook = hooks.own(name) if hooks is not None else None
            if hook is not None and config is not None:
                importing.call_hook(name, hook, config.first_line(), is_forked=name in IN_WORKER)
    except RecursionError:
        return Forked()
    return Forked(importing.resources, tuple(importing.loops))


def _module(config: Source) -> Module:
    """A config file as the module that gunicorn makes of it."""
    return Module("__config__", config, parsed(config.text), is_package=False)
