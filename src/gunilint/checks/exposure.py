"""Checks of who can reach gunicorn, and with which rights."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from msgspec import Struct

from gunilint.checks import Hit, Parameters, assumptions, written
from gunilint.deployment import Deployment, Project, Setting
from gunilint.discover import Tree
from gunilint.regex import regex
from gunilint.sensitive import secrets, variables
from gunilint.source import Source, Span
from gunilint.versions import version_key

_LOOPBACK = regex(r"(localhost|127\.\d+\.\d+\.\d+|\[::1\]|::1)(:\d*)?$", re.IGNORECASE)
_WILDCARD = regex(r"(tcp://)?(0(\.0){0,3}|\[::\]|)(:\d+)?$")
_NUMBER = regex(r"\d+")
_LAST_PORT = 65535


def addresses(setting: Setting | None) -> list[str]:
    """The addresses of a `bind` that is known."""
    known = setting.known if setting else None
    return [item for item in known if isinstance(item, str)] if isinstance(known, list) else []


def is_local(address: str) -> bool:
    """Whether only this machine can reach an address."""
    return address.startswith(("unix:", "fd://")) or bool(
        _LOOPBACK.match(address.removeprefix("tcp://"))
    )


class Listening(Struct, frozen=True):
    """An address that takes connections: where it has to change, and what it rests on."""

    address: str
    place: Span
    assumes: tuple[str, ...] = ()


def listening(deployment: Deployment) -> list[Listening]:
    """The addresses of the socket unit, where systemd opens the sockets, else those of `bind`."""
    sockets = deployment.launch.sockets if deployment.launch else ()
    passed = [each for socket in sockets for each in socket.all("Socket", "ListenStream")]
    if passed:
        return [Listening(_of_stream(each.value.text), each.span) for each in passed]
    bind = deployment.settings.get("bind")
    if bind is None:
        return []
    place = deployment.place(bind)
    return [Listening(address, place, bind.assumes) for address in addresses(bind)]


def _of_stream(text: str) -> str:
    """An address of `ListenStream=` as `bind` has it."""
    if text.startswith(("/", "@")):
        return f"unix:{text}"
    return f"[::]:{text}" if _NUMBER.fullmatch(text) else text


def bad_bind_address(deployment: Deployment, parameters: Parameters) -> Iterator[Hit]:
    """An address that gunicorn can't listen on, which shows only at start; one variant a kind."""
    bind = deployment.settings.get("bind")
    for address in addresses(bind):
        assert bind is not None
        variant = _flaw(address)
        if variant is not None:
            values = {"address": address}
            yield Hit(deployment.place(bind), values, (), variant, assumptions(bind))


def _flaw(address: str) -> str | None:
    if "$" in address:
        return None
    if address.startswith("fd://"):
        return "descriptor" if _whole(address.removeprefix("fd://")) is None else None
    if "://" in address and not address.startswith(("unix://", "tcp://", "fd://")):
        return "url"
    if "," in address:
        return "list"
    if address.startswith("unix:"):
        return None if address.removeprefix("unix:").removeprefix("//") else "path"
    plain = address.removeprefix("tcp://")
    if _NUMBER.fullmatch(plain):
        return "port"
    if plain.count(":") > 1 and "[" not in plain:
        return "bracket"
    host, colon, port = plain.rpartition("]")[2].partition(":")
    number = _whole(port) if colon else 0
    if number is None:
        return "number"
    if not 0 <= number <= _LAST_PORT:
        return "range"
    return {"*": "star"}.get(host, "slash" if "/" in host else None)


def _whole(text: str) -> int | None:
    """A number as gunicorn reads it: blanks around it, a sign and underscores are fine."""
    try:
        return int(text)
    except ValueError:
        return None


def forwarded_allow_ips_any(deployment: Deployment, parameters: Parameters) -> Iterator[Hit]:
    """Every peer's forwarded headers are believed, and others than this machine can connect.

    Variant "uvicorn": the client's address is forged as well.
    """
    trusted, worker = deployment.settings.get("forwarded_allow_ips"), deployment.worker
    if trusted is None or not isinstance(trusted.known, list) or "*" not in trusted.known:
        return
    reachable = [each for each in listening(deployment) if not is_local(each.address)]
    if not reachable or (worker is not None and worker.ignores("forwarded_allow_ips")):
        return
    first = reachable[0]
    related = (("bind", first.place),) if first.place != deployment.entry else ()
    variant = "uvicorn" if worker and worker.name == "uvicorn" else None
    assumes = tuple(dict.fromkeys((*trusted.assumes, *first.assumes)))
    yield Hit(deployment.place(trusted), {"address": first.address}, related, variant, assumes)


def secret_in_deployment_file(deployment: Deployment, parameters: Parameters) -> Iterator[Hit]:
    """A variable is set to a literal secret; variant "url" for the password in a URL."""
    for secret in secrets(deployment):
        if not secret.variable.aside and not deployment.development:
            values = {"name": secret.variable.name, "path": secret.span.source.path}
            yield Hit(secret.span, values, variant="url" if secret.in_url else None)


def debug_exposed(deployment: Deployment, parameters: Parameters) -> Iterator[Hit]:
    """`spew` outside of development.

    Variants: "reload" (other hosts reach workers that answer a syntax error with its traceback) and
    "environment" (a variable that `names` lists is true).
    """
    if deployment.development:
        return
    settings = deployment.settings
    spew, reload = settings.get("spew"), settings.get("reload")
    if spew is not None and spew.known is True:
        yield Hit(deployment.place(spew), {}, assumes=assumptions(spew))
    worker, bind = deployment.worker, settings.get("bind")
    if reload is not None and bind is not None and reload.known is True:
        reachable = [address for address in addresses(bind) if not is_local(address)]
        shown = worker is not None and worker.serves == "wsgi"
        if reachable and shown and settings["preload_app"].known is False:
            values, related = {"address": reachable[0]}, written(("bind", bind))
            assumes = assumptions(reload, bind)
            yield Hit(deployment.place(reload), values, related, "reload", assumes)
    for variable in variables(deployment):
        place = variable.find(variable.text)
        is_true = variable.text.strip().lower() in ("1", "true", "yes", "on")
        if variable.name in parameters["names"] and is_true and place and not variable.aside:
            values = {"name": variable.name, "value": variable.text}
            yield Hit(place, values, variant="environment")


def public_bind(project: Project, parameters: Parameters) -> Iterator[Hit]:
    """A machine's gunicorn listens on every address, and nothing speaks of a proxy before it.

    The machine is one with a unit, or with a script that `machine` finds something in. `proxies`
    finds a proxy or a balancer in the texts and `files` in the names of the project's files, and
    `containers` names the files of containers and platforms, which have a proxy of their own.
    """

    @cache
    def speaks_of_proxy() -> bool:
        return _speaks_of_proxy(project.tree, parameters)

    @cache
    def is_on_a_machine(script: Source) -> bool:
        return _is_on_a_machine(script, project.tree, parameters)

    for deployment in project.deployments:
        launch = deployment.launch
        if launch is None or deployment.development:
            continue
        public = [each for each in listening(deployment) if _is_public(each)]
        if not public or (launch.unit is None and not is_on_a_machine(launch.word.span.source)):
            continue
        if not _has_proxy(deployment, parameters) and not speaks_of_proxy():
            values = {"address": public[0].address}
            yield Hit(public[0].place, values, assumes=public[0].assumes)


def _is_public(listening: Listening) -> bool:
    """Whether it is every address of the machine, and not what a platform says by `PORT`."""
    by_platform = any("PORT" in text for text in listening.assumes)
    return _WILDCARD.match(listening.address) is not None and not by_platform


def _is_on_a_machine(script: Source, tree: Tree, parameters: Parameters) -> bool:
    """Whether a script speaks of the machine that it runs on, and is for no container."""
    containers = re.compile(parameters["containers"], re.IGNORECASE)
    if tree.matching(containers) or containers.search(script.path):
        return False
    return re.search(parameters["machine"], script.text) is not None


def _has_proxy(deployment: Deployment, parameters: Parameters) -> bool:
    """Whether a setting, or the text of the config or the application, speaks of a proxy or TLS."""
    settings = (deployment.settings.get(name) for name in parameters["settings"])
    if any(setting is not None and setting.span is not None for setting in settings):
        return True
    proxies = re.compile(parameters["proxies"])
    sources = [deployment.config.source] if deployment.config else []
    sources += [deployment.app.module] if deployment.app and deployment.app.module else []
    return any(proxies.search(source.text.lower()) for source in sources)


def _speaks_of_proxy(tree: Tree, parameters: Parameters) -> bool:
    """Whether the name of a file does, or the text of a script, a unit or a file that may tell."""
    files, proxies = re.compile(parameters["files"]), re.compile(parameters["proxies"])
    if any(files.search(path.lower()) for path in tree.listing()):
        return True
    telling = re.compile(parameters["texts"])
    read = (
        tree.read(path)
        for path in tree.listing()
        if telling.search(path) or tree.kind(path) in ("script", "unit")
    )
    return any(source is not None and proxies.search(source.text.lower()) for source in read)


def world_writable_socket(deployment: Deployment, parameters: Parameters) -> Iterator[Hit]:
    """A unix socket that gunicorn makes with umask 0; one that systemd makes doesn't count."""
    launch = deployment.launch
    if launch is not None and launch.activated:
        return
    bind, umask = deployment.settings.get("bind"), deployment.settings.get("umask")
    if bind is None or umask is None or type(umask.known) is not int or umask.known & 0o002:
        return
    paths = [address for address in addresses(bind) if address.startswith("unix:")]
    unit = launch.unit if launch is not None else None
    mode = unit.last("Service", "RuntimeDirectoryMode") if unit else None
    if not paths or (mode is not None and mode.value.text.endswith("0")):
        return
    place = umask.span or deployment.place(bind)
    related = written(("bind", bind)) if umask.span is not None else ()
    values = {
        "address": paths[0],
        "umask": f"{umask.known:#o}",
        "mode": f"{0o777 & ~umask.known:o}",
    }
    yield Hit(place, values, related, assumes=assumptions(bind, umask))


def tls_misconfigured(deployment: Deployment, parameters: Parameters) -> Iterator[Hit]:
    """A key without a certificate.

    Variants: "unverified" (`ca_certs` that verify nobody), "ignored" (`ssl_version`), "uvicorn"
    (whose workers die of its name).
    """
    settings = deployment.settings
    if not settings:
        return
    key, certificate = settings["keyfile"], settings["certfile"]
    if isinstance(key.known, str) and key.known and certificate.is_none:
        yield Hit(deployment.place(key), {}, assumes=assumptions(key, certificate))
    authorities, required = settings["ca_certs"], settings["cert_reqs"]
    if isinstance(authorities.known, str) and required.known == 0:
        place = deployment.place(authorities)
        yield Hit(place, {}, (), "unverified", assumptions(authorities, required))
    version = settings["ssl_version"]
    encrypted = isinstance(certificate.known, str) or isinstance(key.known, str)
    if version.span is None or not encrypted or not deployment.catalogue.at_least("21.0.0"):
        return
    worker = deployment.worker.name if deployment.worker else None
    if worker == "uvicorn" and isinstance(version.known, str):
        yield Hit(version.span, {"value": version.known}, (), "uvicorn", assumptions(version))
    elif worker not in (None, "uvicorn", "aiohttp"):
        yield Hit(version.span, {}, (), "ignored", assumptions(version))


def vulnerable_gunicorn(deployment: Deployment, parameters: Parameters) -> Iterator[Hit]:
    """The project asks for a gunicorn with a known hole; one variant a hole, worst first."""
    target = deployment.target
    if target.span is None or not deployment.settings:
        return
    for variant, fixed in parameters["fixed"].items():
        if version_key(target.version) < version_key(fixed):
            yield Hit(target.span, {"version": target.version, "fixed": fixed}, (), variant)
            return
