"""Each pitfall that the product exists for, in each place that can cause it, and cured in each."""

from __future__ import annotations

import pytest

APP = {
    "app/__init__.py": "",
    "app/main.py": (
        "from fastapi import FastAPI\n"
        "from sqlalchemy.ext.asyncio import create_async_engine\n"
        'engine = create_async_engine("postgresql+asyncpg://db/x")\n'
        "app = FastAPI()\n"
    ),
}
GOOD = {
    "worker_class": "uvicorn_worker.UvicornWorker",
    "timeout": 60,
    "graceful_timeout": 30,
    "max_requests": 1000,
    "max_requests_jitter": 100,
    "preload_app": False,
}
FLAGS = {
    "worker_class": "--worker-class {}",
    "timeout": "--timeout {}",
    "graceful_timeout": "--graceful-timeout {}",
    "max_requests": "--max-requests {}",
    "max_requests_jitter": "--max-requests-jitter {}",
    "preload_app": "--preload",
}
BAD = {
    "GU101": {"worker_class": "sync"},
    "GU201": {"timeout": 20},
    "GU301": {"max_requests": 0},
    "GU303": {"preload_app": True},
}


def config(settings: dict[str, object]) -> str:
    return "".join(f"{name} = {value!r}\n" for name, value in settings.items())


def flags(settings: dict[str, object]) -> str:
    return " ".join(
        FLAGS[name].format(value) for name, value in settings.items() if value is not False
    )


def script(arguments: str, prefix: str = "exec ") -> str:
    return f"#!/bin/bash\ncd /srv/app\n{prefix}gunicorn app.main:app {arguments}\n"


UNIT = (
    "[Unit]\nAfter=network.target\n[Service]\nType=notify\nWorkingDirectory=/srv/app\n"
    "ExecStart=/srv/app/start.sh\nTimeoutStopSec=90\n"
)


def codes(findings) -> set[str]:
    return {finding.rule.code for finding in findings}


@pytest.mark.parametrize("code", BAD)
class TestSettings:
    def test_found_in_a_config_file(self, code, lint_files) -> None:
        files = {**APP, "gunicorn.conf.py": config({**GOOD, **BAD[code]}), "start.sh": script("")}
        found = next(f for f in lint_files(files) if f.rule.code == code)
        assert found.primary.span.source.path == "gunicorn.conf.py"
        assert found.primary.span.text == repr(next(iter(BAD[code].values())))

    def test_found_on_a_command_line(self, code, lint_files) -> None:
        files = {**APP, "start.sh": script(flags({**GOOD, **BAD[code]}))}
        found = next(f for f in lint_files(files) if f.rule.code == code)
        assert found.primary.span.source.path == "start.sh"
        assert found.primary.span.line == 3

    def test_found_through_a_unit_that_starts_the_script(self, code, lint_files) -> None:
        files = {
            **APP,
            "deploy/app.service": UNIT.replace("/srv/app/start.sh", "/srv/app/deploy/start.sh"),
            "deploy/start.sh": script("-c deploy/conf.py"),
            "deploy/conf.py": config({**GOOD, **BAD[code]}),
        }
        found = next(f for f in lint_files(files, "deploy") if f.rule.code == code)
        assert found.primary.span.source.path == "deploy/conf.py"

    def test_not_found_when_the_command_line_overrides_the_file(self, code, lint_files) -> None:
        if code == "GU303":
            pytest.skip("a switch can't be turned off on the command line")
        files = {
            **APP,
            "gunicorn.conf.py": config({**GOOD, **BAD[code]}),
            "start.sh": script(flags({name: GOOD[name] for name in BAD[code]})),
        }
        assert code not in codes(lint_files(files))

    def test_not_found_when_gunicorn_cmd_args_override_the_file(self, code, lint_files) -> None:
        if code == "GU303":
            pytest.skip("a switch can't be turned off on the command line")
        arguments = flags({name: GOOD[name] for name in BAD[code]})
        files = {
            **APP,
            "gunicorn.conf.py": config({**GOOD, **BAD[code]}),
            "start.sh": script("").replace("cd", f'export GUNICORN_CMD_ARGS="{arguments}"\ncd'),
        }
        assert code not in codes(lint_files(files))

    def test_found_when_the_command_line_overrides_a_good_file(self, code, lint_files) -> None:
        files = {
            **APP,
            "gunicorn.conf.py": config(GOOD),
            "start.sh": script(flags(BAD[code])),
        }
        assert code in codes(lint_files(files))

    def test_not_found_in_a_good_deployment(self, code, lint_files) -> None:
        files = {
            **APP,
            "gunicorn.conf.py": config(GOOD),
            "start.sh": script(""),
            "app.service": UNIT,
        }
        assert code not in codes(lint_files(files))


def test_preload_is_not_found_when_the_config_that_sets_it_is_not_loaded(lint_files) -> None:
    files = {
        **APP,
        "gunicorn.conf.py": config({**GOOD, "preload_app": True}),
        "good.py": config(GOOD),
        "start.sh": script("-c good.py"),
        "other.sh": script("-c gunicorn.conf.py -k sync").replace("app.main:app", "elsewhere:app"),
    }
    assert "GU303" not in codes(lint_files(files, "start.sh", "good.py"))


class TestNotify:
    @pytest.mark.parametrize(
        ("start", "settings"),
        [
            pytest.param(script("-c good.py", prefix=""), GOOD, id="script without exec"),
            pytest.param(
                script("-c good.py") + "", {**GOOD, "daemon": True}, id="daemon in config"
            ),
            pytest.param(script("-c good.py --daemon"), GOOD, id="daemon on command line"),
            pytest.param(script("-c good.py | tee log"), GOOD, id="pipeline"),
            pytest.param(script("-c good.py &"), GOOD, id="background"),
            pytest.param(script("-c good.py", prefix="exec uv run "), GOOD, id="forking wrapper"),
            pytest.param(
                script("-c good.py", prefix="exec sh -c '").rstrip() + "'\n", GOOD, id="dash -c"
            ),
        ],
    )
    def test_found_when_ready_comes_from_another_process(self, start, settings, lint_files) -> None:
        files = {**APP, "app.service": UNIT, "start.sh": start, "good.py": config(settings)}
        found = next(f for f in lint_files(files) if f.rule.code == "GU401")
        assert found.primary.span.text == "Type=notify"
        assert {label.span.source.path for label in found.related} <= {"start.sh", "good.py"}

    @pytest.mark.parametrize(
        "start",
        [
            pytest.param(script("-c good.py"), id="exec"),
            pytest.param(
                script("-c good.py", prefix="exec env A=1 nice -n 5 "), id="exec wrappers"
            ),
            pytest.param(
                script("-c good.py", prefix="exec bash -c '").rstrip() + "'\n", id="bash -c"
            ),
            pytest.param(
                script("-c good.py", prefix="exec dash -c 'exec ").rstrip() + "'\n", id="sh exec"
            ),
        ],
    )
    def test_not_found_when_the_main_process_is_gunicorn(self, start, lint_files) -> None:
        files = {**APP, "app.service": UNIT, "start.sh": start, "good.py": config(GOOD)}
        assert "GU401" not in codes(lint_files(files))

    def test_not_found_with_another_type(self, lint_files) -> None:
        unit = UNIT.replace("notify", "exec")
        files = {**APP, "app.service": unit, "start.sh": script(flags(GOOD), prefix="")}
        assert "GU401" not in codes(lint_files(files))

    def test_drop_in_overrides_the_type(self, lint_files) -> None:
        files = {
            **APP,
            "app.service": UNIT,
            "app.service.d/type.conf": "[Service]\nType=simple\n",
            "start.sh": script(flags(GOOD), prefix=""),
        }
        assert "GU401" not in codes(lint_files(files))

    def test_old_gunicorn_never_sends_it(self, lint_files) -> None:
        files = {**APP, "app.service": UNIT, "start.sh": script("")}
        found = next(f for f in lint_files(files, version="19.10.0") if f.rule.code == "GU401")
        assert "19.10.0" in found.message

    def test_uvicorn_never_sends_it(self, lint_files) -> None:
        files = {
            **APP,
            "app.service": UNIT.replace("/srv/app/start.sh", "/usr/bin/uvicorn app.main:app"),
        }
        assert [f.rule.code for f in lint_files(files)] == ["GU401"]


class TestOrder:
    def unit(self, *lines: str) -> str:
        return UNIT.replace("[Service]", "\n".join((*lines, "[Service]")))

    @pytest.mark.parametrize("key", ["Requires", "Wants", "BindsTo"])
    def test_found_in_the_unit(self, key, lint_files) -> None:
        files = {
            **APP,
            "app.service": self.unit(f"{key}=db.service"),
            "start.sh": script(flags(GOOD)),
        }
        found = next(f for f in lint_files(files) if f.rule.code == "GU406")
        assert found.primary.span.text == f"{key}=db.service"

    def test_found_in_a_drop_in(self, lint_files) -> None:
        files = {
            **APP,
            "app.service": UNIT,
            "app.service.d/db.conf": "[Unit]\nRequires=db.service\n",
            "start.sh": script(flags(GOOD)),
        }
        found = next(f for f in lint_files(files) if f.rule.code == "GU406")
        assert found.primary.span.source.path == "app.service.d/db.conf"

    @pytest.mark.parametrize(
        "order", ["After=db.service", "Before=db.service", "After=a.service db.service"]
    )
    def test_not_found_when_a_drop_in_orders_it(self, order, lint_files) -> None:
        files = {
            **APP,
            "app.service": self.unit("Requires=db.service"),
            "app.service.d/order.conf": f"[Unit]\n{order}\n",
            "start.sh": script(flags(GOOD)),
        }
        assert "GU406" not in codes(lint_files(files))

    def test_not_found_for_sockets(self, lint_files) -> None:
        files = {
            **APP,
            "app.service": self.unit("Requires=app.socket"),
            "start.sh": script(flags(GOOD)),
        }
        assert "GU406" not in codes(lint_files(files))
