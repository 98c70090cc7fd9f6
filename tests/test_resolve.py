"""From files to deployments: what is followed, and what wins."""

from __future__ import annotations

from pathlib import Path

import pytest

from gunilint.deployment import Deployment, Facts, Project
from gunilint.discover import Tree
from gunilint.resolve import resolve
from gunilint.values import Known, Refused, Symbolic, Unknown
from projects import write

APP = {"app/__init__.py": "", "app/main.py": "from fastapi import FastAPI\napp = FastAPI()\n"}


@pytest.fixture
def project(tmp_path: Path):
    """Resolve a project given as path → text; all its files are inputs, or those named."""

    def run(files: dict[str, str], *inputs: str, version: str | None = None) -> Project:
        write(tmp_path, files)
        tree = Tree(tmp_path.resolve())
        chosen = [path for path in tree.listing() if not inputs or path in inputs]
        kinds = {path: kind for path in chosen if (kind := tree.kind(path))}
        return resolve(tree, kinds, Facts(version))

    return run


def only(project: Project) -> Deployment:
    (deployment,) = project.deployments
    return deployment


class TestSources:
    """The order of sources, weakest first, as gunicorn has it."""

    START = "#!/bin/sh\n{}exec gunicorn {} app.main:app\n"

    @pytest.mark.parametrize(
        ("exports", "config", "flags", "value", "origin"),
        [
            ("", "", "", 1, "default"),
            ("export WEB_CONCURRENCY=2\n", "", "", 2, "environment"),
            ("export WEB_CONCURRENCY=2\n", "workers = 3\n", "", 3, "config file"),
            ("export GUNICORN_CMD_ARGS='-w 4'\n", "workers = 3\n", "", 4, "GUNICORN_CMD_ARGS"),
            ("export GUNICORN_CMD_ARGS='-w 4'\n", "workers = 3\n", "-w 5", 5, "command line"),
            ("WEB_CONCURRENCY=2\n", "", "", 1, "default"),
            ("", "workers = '3'\n", "", 3, "config file"),
            ("", "", "-w 5 -w 6", 6, "command line"),
        ],
    )
    def test_strongest_wins(self, project, exports, config, flags, value, origin) -> None:
        files = {**APP, "start.sh": self.START.format(exports, flags), "gunicorn.conf.py": config}
        setting = only(project(files)).settings["workers"]
        assert (setting.known, setting.origin) == (value, origin)

    def test_overridden_settings_are_kept(self, project) -> None:
        files = {
            **APP,
            "start.sh": self.START.format("export GUNICORN_CMD_ARGS='-w 4'\n", "-w 5"),
            "gunicorn.conf.py": "workers = 3\n",
        }
        setting = only(project(files)).settings["workers"]
        assert [each.known for each in setting.overridden] == [4, 3]

    def test_lists_replace_the_files_list(self, project) -> None:
        files = {
            **APP,
            "start.sh": self.START.format("", "-e B=2 -e C=3"),
            "gunicorn.conf.py": "raw_env = ['A=1']\n",
        }
        assert only(project(files)).settings["raw_env"].known == ["B=2", "C=3"]

    def test_port_is_the_default_of_bind(self, project) -> None:
        files = {**APP, "start.sh": self.START.format("export PORT=9000\n", "")}
        assert only(project(files)).settings["bind"].known == ["0.0.0.0:9000"]

    def test_environment_reaches_the_config(self, project) -> None:
        files = {
            **APP,
            "start.sh": self.START.format("export W=7\n", ""),
            "gunicorn.conf.py": "import os\nworkers = int(os.getenv('W', 2))\n",
        }
        setting = only(project(files)).settings["workers"]
        assert (setting.known, setting.assumes) == (7, ())

    def test_assumptions_stay_with_the_arguments_of_a_variable(self, project) -> None:
        unit = (
            "[Service]\nEnvironment=GUNICORN_CMD_ARGS=--workers=2\nEnvironmentFile=-/etc/default/app\n"
            "ExecStart=/srv/venv/bin/gunicorn app.main:app\n"
        )
        workers = only(project({**APP, "app.service": unit})).settings["workers"]
        assert (workers.known, workers.origin) == (2, "GUNICORN_CMD_ARGS")
        assert workers.assumes == ("`/etc/default/app` leaves GUNICORN_CMD_ARGS alone",)

    def test_default_rests_on_the_branch_that_is_not_taken(self, project) -> None:
        config = "import os\nif os.getenv('DEBUG', '0') == '1':\n    reload = True\n"
        files = {**APP, "start.sh": "exec gunicorn app.main:app", "gunicorn.conf.py": config}
        reload = only(project(files)).settings["reload"]
        assert (reload.known, reload.assumes) == (False, ("DEBUG is unset",))

    def test_cpus_stay_symbolic(self, project) -> None:
        files = {**APP, "start.sh": self.START.format("", '-w "$(( 2 * $(nproc) + 1 ))"')}
        value = only(project(files)).settings["workers"].value
        assert isinstance(value, Symbolic)
        assert value.at(4) == 9

    def test_unknown_arguments_make_the_rest_unknown(self, project) -> None:
        files = {**APP, "start.sh": self.START.format("", '-w 3 "$@"')}
        settings = only(project(files)).settings
        assert settings["workers"].known == 3
        assert isinstance(settings["timeout"].value, Unknown)

    def test_missing_config_makes_the_rest_unknown(self, project) -> None:
        files = {**APP, "start.sh": self.START.format("", "-c elsewhere.py -w 3")}
        settings = only(project(files)).settings
        assert settings["workers"].known == 3
        assert settings["timeout"].value == Unknown("`elsewhere.py` isn't in the project")

    def test_refused_value_is_known_to_be_refused(self, project) -> None:
        files = {
            **APP,
            "gunicorn.conf.py": "workers = 2.5\n",
            "start.sh": self.START.format("", ""),
        }
        deployment = only(project(files))
        assert isinstance(deployment.settings["workers"].value, Refused)
        assert [refusal.setting for refusal in deployment.refusals] == ["workers"]


class TestConfig:
    @pytest.mark.parametrize(
        ("files", "config"),
        [
            pytest.param(
                {"start.sh": "gunicorn -c conf/g.py a:b", "conf/g.py": "workers = 2"},
                "conf/g.py",
                id="-c",
            ),
            pytest.param(
                {"start.sh": "gunicorn -c file:g.py a:b", "g.py": "workers = 2"}, "g.py", id="file:"
            ),
            pytest.param(
                {"start.sh": "gunicorn -c python:conf.g a:b", "conf/g.py": "workers = 2"},
                "conf/g.py",
                id="python:",
            ),
            pytest.param(
                {"start.sh": "gunicorn a:b", "gunicorn.conf.py": "workers = 2"},
                "gunicorn.conf.py",
                id="default",
            ),
            pytest.param(
                {"start.sh": "gunicorn -c /dev/null a:b", "gunicorn.conf.py": "workers = 2"},
                None,
                id="none",
            ),
            pytest.param(
                {"start.sh": "cd sub\ngunicorn a:b", "sub/gunicorn.conf.py": "workers = 2"},
                "sub/gunicorn.conf.py",
                id="cd",
            ),
            pytest.param(
                {"start.sh": "gunicorn --chdir sub a:b", "sub/gunicorn.conf.py": "workers = 2"},
                None,
                id="chdir doesn't count",
            ),
            pytest.param(
                {"deploy/start.sh": "gunicorn a:b", "deploy/gunicorn.conf.py": "workers = 2"},
                "deploy/gunicorn.conf.py",
                id="script's folder",
            ),
            pytest.param(
                {"start.sh": "gunicorn -c /code/deploy/g.py a:b", "deploy/g.py": "workers = 2"},
                "deploy/g.py",
                id="longest tail",
            ),
            pytest.param(
                {"start.sh": "gunicorn -c /x/g.py a:b", "one/g.py": "", "two/g.py": ""},
                None,
                id="two tails",
            ),
            pytest.param(
                {
                    "a.service": "[Service]\nWorkingDirectory=/srv/x\nExecStart=/bin/gunicorn -c conf/g.py a:b",
                    "conf/g.py": "workers = 2",
                },
                "conf/g.py",
                id="unit",
            ),
            pytest.param(
                {
                    "a.service": "[Service]\nExecStart=/bin/gunicorn a:b",
                    "gunicorn.conf.py": "workers = 2",
                },
                None,
                id="unit starts in /",
            ),
        ],
    )
    def test_found(self, project, files, config) -> None:
        launched = [each for each in project(files).deployments if each.launch]
        found = launched[0].config
        assert (found.source.path if found else None) == config

    def test_unlaunched_config_is_a_deployment_of_its_own(self, project) -> None:
        deployment = only(project({"gunicorn.conf.py": "workers = 2\n"}))
        assert deployment.launch is None
        assert deployment.settings["timeout"].assumes == ("no command line sets it",)

    @pytest.mark.parametrize("text", ["import x\n", "def f(): ...\n", "", "# gunicorn\n"])
    def test_file_that_only_has_a_configs_name_is_none(self, project, text) -> None:
        assert project({"gunicorn_helpers.py": text}).deployments == ()


class TestFollowing:
    def test_unit_to_script_to_script(self, project) -> None:
        files = {
            "a.service": "[Service]\nWorkingDirectory=/srv/x\nEnvironment=W=3\nExecStart=/srv/x/bin/run.sh one",
            "bin/run.sh": '#!/bin/bash\nexec "$(dirname "$0")/inner.sh" "$1"',
            "bin/inner.sh": '#!/bin/bash\nexec gunicorn -w $W --name "$1" a:b',
        }
        deployment = only(project(files))
        assert deployment.settings["workers"].known == 3
        assert deployment.settings["proc_name"].known == "one"
        assert deployment.launch is not None
        assert deployment.launch.command.forks == ()
        chain = [label.span.source.path for label in deployment.launch.chain]
        assert chain == ["a.service", "bin/run.sh", "bin/inner.sh"]

    @pytest.mark.parametrize("root", ["", "deploy/files/"])
    @pytest.mark.parametrize("inputs", [(), ("{}etc/systemd/system/app.service.d/a.conf",)])
    def test_drop_in_in_another_folder_of_the_search_path(self, project, root, inputs) -> None:
        files = {
            **APP,
            f"{root}lib/systemd/system/app.service": "[Service]\nExecStart=gunicorn -w 2 app.main:app\n",
            f"{root}etc/systemd/system/app.service.d/a.conf": (
                "[Service]\nExecStart=\nExecStart=gunicorn -w 3 app.main:app\n"
            ),
            f"{root}usr/lib/systemd/system/app.service.d/a.conf": "[Service]\nExecStart=/bin/true\n",
        }
        found = only(project(files, *(each.format(root) for each in inputs)))
        assert found.settings["workers"].known == 3

    @pytest.mark.parametrize(
        ("sockets", "listening"),
        [
            ({"app.socket": "[Socket]\nListenStream=/run/a.sock\n"}, ["/run/a.sock"]),
            ({"b.socket": "[Socket]\nListenStream=80\nService=app.service\n"}, ["80"]),
            ({"b.socket": "[Socket]\nListenStream=80\n"}, []),
            ({"app.socket": "[Socket]\nListenStream=80\nService=b.service\n"}, []),
        ],
    )
    def test_sockets_that_systemd_passes(self, project, sockets, listening) -> None:
        unit = "[Service]\nExecStart=/srv/venv/bin/gunicorn app.main:app\n"
        found = only(project({**APP, "app.service": unit, **sockets}))
        assert found.launch is not None
        passed = [
            each for unit in found.launch.sockets for each in unit.all("Socket", "ListenStream")
        ]
        assert [directive.value.text for directive in passed] == listening

    def test_nested_shells(self, project) -> None:
        files = {"start.sh": "exec bash -c 'exec sh -c \"exec gunicorn -w 2 a:b\"'"}
        assert only(project(files)).settings["workers"].known == 2

    def test_place_within_a_units_shell_string(self, project) -> None:
        files = {"a.service": "[Service]\nExecStart=/bin/bash -c 'cd /x; gunicorn -w 2 a:b'"}
        span = only(project(files)).settings["workers"].span
        assert span is not None
        assert (span.line, span.column, span.text) == (2, 44, "2")

    def test_scripts_that_start_each_other_end(self, project) -> None:
        files = {"a.sh": "./b.sh\ngunicorn x", "b.sh": "./a.sh\ngunicorn y"}
        project(files)

    def test_function_that_branches_call_alike_is_one_launch(self, project) -> None:
        text = 'start() { W=$1 gunicorn app.main:app; }\ncase "$1" in\na|b) start 1 ;;\nc) start 1 ;;\nd) start 2 ;;\nesac'
        found = project({**APP, "ctl.sh": text}).deployments
        assert [each.launch.command.environment["W"].value for each in found] == ["1", "2"]

    def test_called_script_is_not_a_launch_of_its_own(self, project) -> None:
        files = {"a.sh": "W=2 ./z.sh", "z.sh": "gunicorn -w ${W:-1} a:b"}
        assert only(project(files)).settings["workers"].known == 2

    @pytest.mark.parametrize("option", ["--version", "--help", "--check-config", "--print-config"])
    def test_gunicorn_that_only_prints_is_no_launch(self, project, option) -> None:
        assert project({"a.sh": f"gunicorn {option} a:b"}).deployments == ()

    def test_link_out_of_the_root_is_not_read(self, project, tmp_path) -> None:
        outside = tmp_path.parent / "outside.py"
        outside.write_text("workers = 9\n")
        (tmp_path / "g.py").symlink_to(outside)
        settings = only(project({"a.sh": "gunicorn -c g.py a:b"}, "a.sh")).settings
        assert isinstance(settings["workers"].value, Unknown)
        climbing = only(project({"a.sh": "gunicorn -c ../outside.py a:b"}, "a.sh")).settings
        assert isinstance(climbing["workers"].value, Unknown)


class TestApplication:
    def test_found_in_the_working_directory_of_a_unit(self, project) -> None:
        files = {
            **{f"backend/{path}": text for path, text in APP.items()},
            "a.service": "[Service]\nWorkingDirectory=/srv/backend\nExecStart=/bin/gunicorn app.main:app",
        }
        app = only(project(files)).app
        assert app is not None
        assert (app.kind, app.module.path) == ("asgi", "backend/app/main.py")

    @pytest.mark.parametrize("flags", ["--chdir backend", "--pythonpath backend"])
    def test_found_through_the_settings(self, project, flags) -> None:
        files = {
            **{f"backend/{path}": text for path, text in APP.items()},
            "start.sh": f"gunicorn {flags} app.main:app",
        }
        assert only(project(files)).app.kind == "asgi"

    def test_wsgi_app_of_the_config(self, project) -> None:
        files = {**APP, "gunicorn.conf.py": "wsgi_app = 'app.main:app'\n"}
        assert only(project(files)).app.kind == "asgi"

    def test_command_line_beats_wsgi_app(self, project) -> None:
        files = {
            **APP,
            "gunicorn.conf.py": "wsgi_app = 'nothing:app'\n",
            "start.sh": "gunicorn app.main:app",
        }
        assert only(project(files)).app.kind == "asgi"

    def test_own_worker_class_is_of_its_bases_family(self, project) -> None:
        files = {
            **APP,
            "app/worker.py": "from uvicorn_worker import UvicornWorker\nclass Mine(UvicornWorker): ...\n",
            "start.sh": "gunicorn -k app.worker.Mine app.main:app",
        }
        assert only(project(files)).worker.name == "uvicorn"

    def test_threads_turn_sync_into_gthread(self, project) -> None:
        assert only(project({"a.sh": "gunicorn --threads 2 a:b"})).worker.name == "gthread"


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        ("start.sh", "gunicorn a:b", False),
        ("start-dev.sh", "gunicorn a:b", True),
        ("load-test.sh", "gunicorn a:b", True),
        ("local/run.sh", "gunicorn a:b", True),
        ("usr/local/bin/run.sh", "gunicorn a:b", False),
        ("scripts/bench.sh", "gunicorn a:b", True),
        ("latest.sh", "gunicorn a:b", False),
        ("devices.sh", "gunicorn a:b", False),
        ("start.sh", 'if [ "$DEBUG" = 1 ]; then gunicorn a:b; fi', True),
        ("start.sh", 'if [ "$DEBUG" = 1 ]; then true; else gunicorn a:b; fi', False),
    ],
)
def test_deployments_for_development(project, path, text, expected) -> None:
    assert only(project({path: text})).development is expected


@pytest.mark.parametrize(
    ("script", "units"),
    [
        ("sudo systemctl reload app", ["app.service"]),
        ("systemctl --no-block reload app.service other", ["app.service", "other.service"]),
        ("systemctl restart app", []),
        ("systemctl reload-or-restart app", []),
        ("systemctl kill -s HUP app", ["app.service"]),
        ("sudo systemctl kill --signal=SIGHUP --kill-who=main app.service", ["app.service"]),
        ("systemctl kill app", []),
        ("service app reload", ["app.service"]),
        ("kill -HUP $(cat /run/gunicorn.pid)", [None]),
        ("pkill -HUP gunicorn", [None]),
        ("kill -s HUP `cat gunicorn.pid`", [None]),
        ("kill -TERM $(cat /run/gunicorn.pid)", []),
        ("kill -HUP $(cat /run/nginx.pid)", []),
    ],
)
def test_reloading_commands(project, script, units) -> None:
    assert [reload.unit for reload in project({"deploy.sh": script}).reloads] == units


def test_known_values_keep_their_types(project) -> None:
    files = {"a.sh": "gunicorn --preload --reload-engine poll -b :1 -b :2 a:b"}
    settings = only(project(files)).settings
    assert settings["preload_app"].value == Known(True)
    assert settings["reload_engine"].known == "poll"
    assert settings["bind"].known == [":1", ":2"]


class TestVersions:
    def test_pinned_gunicorn_decides_what_its_command_line_takes(self, project) -> None:
        files = {
            **APP,
            "requirements.txt": "gunicorn==20.1.0\n",
            "start.sh": "gunicorn --header-map drop app:app",
        }
        deployment = only(project(files))
        assert deployment.target.version == "20.1.0"
        assert [error.reason for error in deployment.launch.errors] == [
            "gunicorn 20.1.0 has no option `--header-map`"
        ]

    def test_each_service_of_a_monorepo_has_its_own(self, project) -> None:
        files = {
            "a/requirements.txt": "gunicorn==20.1.0\n",
            "a/app.py": "",
            "a/run.sh": "cd a\nexec gunicorn app:app\n",
            "requirements.txt": "gunicorn<24\nuvicorn==0.29.0\n",
            "b/gunicorn.conf.py": "workers = 2\n",
        }
        one, other = project(files).deployments
        assert (one.target.version, other.target.version) == ("20.1.0", "23.0.0")
        assert (list(one.packages), other.packages["uvicorn"].version) == ([], "0.29.0")


RUN = "#!/bin/sh\nexec flask run\n"
UNIT = "[Service]\nExecStart=/srv/run.sh\n"


@pytest.mark.parametrize(
    ("files", "found"),
    [
        ({"app.service": "[Service]\nExecStart=/srv/venv/bin/flask run\n"}, True),
        ({"app.service": UNIT, "run.sh": RUN}, True),
        ({"production/run.sh": RUN}, True),
        ({"run-prod": RUN}, True),
        ({"run.sh": RUN}, False),
        ({"reproduce.sh": RUN}, False),
        ({"app-dev.service": UNIT, "run.sh": RUN}, False),
        ({"app.service": "[Service]\nExecStart=/srv/run_local.sh\n", "run_local.sh": RUN}, False),
        ({"app.service": UNIT, "run.sh": "if [ \"$DEBUG\" ]; then flask run; fi\n"}, False),
        ({"app.service": UNIT, "run.sh": "[ -n \"$DEV\" ] && exec flask run\nexec gunicorn a:b"}, False),
        ({".config/systemd/user/app.service": UNIT, "run.sh": RUN}, False),
        ({"app.service": "# flask run\n[Service]\nExecStart=/bin/true\n"}, False),
    ],
)  # fmt: skip
def test_development_servers_in_production(project, files: dict[str, str], found: bool) -> None:
    assert bool(project(files).development_servers) is found


@pytest.mark.parametrize(
    ("files", "reloaded"),
    [
        ({"a.service": "[Service]\nExecStart=/bin/gunicorn a:b\n"}, [1]),
        ({"a.sh": "gunicorn a:b"}, [1]),
        ({"a.service": "[Service]\nExecStart=/bin/gunicorn a:b\n", "b.service": "[Service]\nExecStart=/bin/gunicorn b:c\n"}, [0, 0]),
    ],
)  # fmt: skip
def test_signal_by_hand_reloads_what_alone_can_be_meant(project, files, reloaded) -> None:
    found = project({**files, "deploy.sh": "pkill -HUP gunicorn\n"}).deployments
    assert [len(deployment.reloads) for deployment in found] == reloaded


class TestNeighbours:
    """The units that have to do with the one that starts gunicorn."""

    SERVICE = "[Service]\nExecStart=/srv/venv/bin/gunicorn app.main:app\n"

    def names(self, project: Project, path: str = "shop.service") -> list[str]:
        (launch,) = [
            each.launch
            for each in project.deployments
            if each.launch and each.launch.unit and each.launch.unit.source.path == path
        ]
        return [unit.source.path for unit in launch.neighbours]

    def test_socket_of_the_same_name_and_units_that_name_it(self, project) -> None:
        files = {
            "shop.service": self.SERVICE,
            "shop.socket": "[Socket]\nListenStream=80\n",
            "proxy.service": "[Unit]\nAfter=shop.service\n[Service]\nExecStart=/bin/true\n",
            "other.service": "[Service]\nExecStart=/bin/true\n",
        }
        found = project(files)
        assert self.names(found) == ["proxy.service", "shop.socket"]
        launch = only(found).launch
        assert launch is not None
        assert [unit.name for unit in launch.sockets] == ["shop.socket"]
        assert launch.activated

    def test_only_its_own_folder_where_there_are_several_of_its_name(self, project) -> None:
        files = {
            "prod/shop.service": self.SERVICE,
            "prod/shop.socket": "[Socket]\nListenStream=80\n",
            "staging/shop.service": self.SERVICE,
        }
        assert self.names(project(files), "prod/shop.service") == ["prod/shop.socket"]
        assert self.names(project(files), "staging/shop.service") == []

    def test_socket_outside_the_project_counts_as_one(self, project) -> None:
        launch = only(
            project({"shop.service": f"[Unit]\nRequires=x.socket\n{self.SERVICE}"})
        ).launch
        assert launch is not None
        assert (launch.sockets, launch.activated) == ((), True)

    def test_unit_of_a_user_starts_in_the_home(self, project) -> None:
        text = f"{self.SERVICE}[Install]\nWantedBy=default.target\n"
        launch = only(project({"shop.service": text})).launch
        assert launch is not None
        assert launch.place.text is None


def test_signals_are_those_of_scripts(project) -> None:
    script = (
        "#!/bin/sh\nPID=$(cat /run/shop.pid)\nkill -USR2 $PID\nsudo systemctl kill -s HUP shop\n"
    )
    signals = project({"deploy.sh": script}).signals
    assert [(each.name, each.to_unit, each.pid_files) for each in signals] == [
        ("USR2", False, ("/run/shop.pid",)),
        ("HUP", True, ()),
    ]
