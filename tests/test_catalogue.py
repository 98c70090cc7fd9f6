"""The catalogue of settings, options and workers."""

from __future__ import annotations

import pytest

from gunilint.catalogue import catalogue
from gunilint.catalogue.workers import find_worker, workers
from gunilint.versions import latest, version_key


def test_newest_gunicorn_has_120_settings() -> None:
    newest = catalogue()
    assert newest.version == latest() == "27.0.1"
    assert len(newest.settings) == 120
    assert set(newest.others) == {
        "debug",
        "django_settings",
        "logfile",
        "tolerate_dangerous_framing",
        "x_forwarded_for_header",
    }


@pytest.mark.parametrize(
    ("name", "version", "there"),
    [
        ("wsgi_app", "20.0.4", False),
        ("wsgi_app", "20.1.0", True),
        ("asgi_loop", "23.0.0", False),
        ("control_socket", "25.0.2", False),
        ("control_socket", "25.1.0", True),
        ("tolerate_dangerous_framing", "22.0.0", True),
        ("tolerate_dangerous_framing", "22.0.1", False),
        ("websocket_max_message_size", "26.2.0", False),
    ],
)
def test_settings_come_and_go(name: str, version: str, there: bool) -> None:
    assert (name in catalogue(version).settings) is there


def test_defaults_change_with_versions() -> None:
    assert catalogue("24.0.0").settings["proxy_protocol"].default is False
    assert catalogue("24.1.0").settings["proxy_protocol"].default == "off"
    assert catalogue("22.0.0").settings["forwarded_allow_ips"].default == "127.0.0.1"
    assert catalogue("23.0.0").settings["forwarded_allow_ips"].default == "127.0.0.1,::1"


@pytest.mark.parametrize(
    ("older", "newer"),
    [("9.9", "19.9"), ("25.0.2", "25.1"), ("20.1.0", "20.1.1"), ("19", "19.0.1")],
)
def test_versions_are_ordered_by_number(older: str, newer: str) -> None:
    assert version_key(older) < version_key(newer)
    assert version_key(newer + ".0") == version_key(newer)


@pytest.mark.parametrize(
    ("worker_class", "version", "serves"),
    [
        ("sync", "27.0.1", "wsgi"),
        ("gthread", "27.0.1", "wsgi"),
        ("asgi", "23.0.0", None),
        ("asgi", "24.0.0", "asgi"),
        ("eventlet", "25.3.0", "wsgi"),
        ("eventlet", "26.0.0", None),
        ("uvicorn.workers.UvicornWorker", "27.0.1", "asgi"),
        ("uvicorn_worker.UvicornH11Worker", "27.0.1", "asgi"),
        ("aiohttp.GunicornWebWorker", "27.0.1", "aiohttp"),
        ("Sync", "27.0.1", None),
        ("my.own.Worker", "27.0.1", None),
    ],
)
def test_worker_classes(worker_class: str, version: str, serves: str | None) -> None:
    worker = find_worker(worker_class, version)
    assert (worker.serves if worker else None) == serves


@pytest.mark.parametrize(
    ("worker", "setting", "version", "effect"),
    [
        ("sync", "keepalive", "27.0.1", "ignored"),
        ("sync", "threads", "27.0.1", "switches to gthread"),
        ("asgi", "threads", "27.0.1", "warned"),
        ("asgi", "forwarded_allow_ips", "26.2.0", "ignored"),
        ("asgi", "forwarded_allow_ips", "27.0.0", "honoured"),
        ("uvicorn", "max_requests", "27.0.1", "honoured"),
        ("uvicorn", "limit_request_line", "27.0.1", "ignored"),
        ("tornado", "max_requests", "27.0.1", "partial"),
    ],
)
def test_what_a_worker_makes_of_a_setting(worker, setting, version, effect) -> None:
    assert workers(version)[worker].effect(setting) == effect


def test_matrix_speaks_of_settings_and_workers_that_exist() -> None:
    everything = {**catalogue().settings, **catalogue().others}
    families = workers("27.0.1")
    for worker in families.values():
        assert set(worker.effects) <= set(everything)
        assert set(worker.effects.values()) <= {
            "partial", "ignored", "warned", "switches to gthread",
        }  # fmt: skip


def test_gap_in_a_setting_s_life() -> None:
    assert "strip_header_spaces" in catalogue("19.10.0").settings
    assert "strip_header_spaces" not in catalogue("20.0.0").settings
    assert "strip_header_spaces" in catalogue("20.0.4").settings
