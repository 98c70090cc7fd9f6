"""Checks of who can reach gunicorn, and with which rights."""

from __future__ import annotations

import re
from collections.abc import Iterator

from gunilint.catalogue import version_key
from gunilint.checks import Hit, Parameters, assumptions, written
from gunilint.deployment import Deployment, Setting

_LOOPBACK = re.compile(r"(localhost|127\.\d+\.\d+\.\d+|\[::1\]|::1)(:\d*)?$", re.IGNORECASE)
_NUMBER = re.compile(r"\d+")


def addresses(setting: Setting | None) -> list[str]:
    """The addresses of a `bind` that is known."""
    known = setting.known if setting else None
    return [item for item in known if isinstance(item, str)] if isinstance(known, list) else []


def is_local(address: str) -> bool:
    """Whether only this machine can reach an address."""
    return address.startswith(("unix:", "fd://")) or bool(
        _LOOPBACK.match(address.removeprefix("tcp://"))
    )


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
    if "$" in address or address.startswith("fd://"):
        return None
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
    port = plain.rpartition("]")[2].partition(":")
    return "number" if port[1] and not _NUMBER.fullmatch(port[2]) else None


def forwarded_allow_ips_any(deployment: Deployment, parameters: Parameters) -> Iterator[Hit]:
    """Every peer's forwarded headers are believed, and others than this machine can connect.

    Variant "uvicorn": the client's address is forged as well.
    """
    trusted, bind = deployment.settings.get("forwarded_allow_ips"), deployment.settings.get("bind")
    if trusted is None or bind is None or not isinstance(trusted.known, list):
        return
    reachable = [address for address in addresses(bind) if not is_local(address)]
    if "*" not in trusted.known or not reachable:
        return
    if deployment.worker is not None and deployment.worker.ignores("forwarded_allow_ips"):
        return
    variant = "uvicorn" if deployment.worker and deployment.worker.name == "uvicorn" else None
    values = {"address": reachable[0]}
    related = written(("bind", bind))
    yield Hit(deployment.place(trusted), values, related, variant, assumptions(trusted, bind))


def world_writable_socket(deployment: Deployment, parameters: Parameters) -> Iterator[Hit]:
    """A unix socket that gunicorn makes with umask 0."""
    bind, umask = deployment.settings.get("bind"), deployment.settings.get("umask")
    if bind is None or umask is None or type(umask.known) is not int or umask.known & 0o002:
        return
    paths = [address for address in addresses(bind) if address.startswith("unix:")]
    unit = deployment.launch.unit if deployment.launch else None
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
    """A key without a certificate; variant "unverified": `ca_certs` that verify nobody."""
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


def vulnerable_gunicorn(deployment: Deployment, parameters: Parameters) -> Iterator[Hit]:
    """The project asks for a gunicorn with a known hole; one variant a hole, worst first."""
    target = deployment.target
    if target.span is None or not deployment.settings:
        return
    for variant, fixed in parameters["fixed"].items():
        if version_key(target.version) < version_key(fixed):
            yield Hit(target.span, {"version": target.version, "fixed": fixed}, (), variant)
            return
