"""The pytest plugin, in projects of its own: found by itself, out of the way, one flag a level."""

from __future__ import annotations

import importlib.metadata
import os
import textwrap
from collections.abc import Callable
from pathlib import Path

import httpcore  # noqa: F401 - a run in this process takes with it what it was the first to import
import pytest

import evidentsource_runtime
import evidentsource_runtime.server.testing
from evidentsource_functions.testing import _levels
from evidentsource_runtime.testing import levels
from evidentsource_runtime.testing.components import session_components

SOURCE = Path(evidentsource_runtime.__file__).parents[1]
PLUGIN = "evidentsource_runtime.testing.plugin"
FOUND = any(each.value == PLUGIN for each in importlib.metadata.entry_points(group="pytest11"))

RULES = """
from dataclasses import dataclass
from evidentsource_functions import ProspectiveEvent, StateViewBase
from evidentsource_functions.wasm import StateChangeAdapter

@dataclass
class Deposit:
    account_id: str
    amount: int

def decide(db, command: Deposit, metadata):
    return [ProspectiveEvent("e-1", "accounts", "credited", subject=command.account_id)]

class WitWorld(StateChangeAdapter):
    command_type = Deposit
"""
MANIFEST = """
[tool.evidentsource]
database = "bank"

[tool.evidentsource.state-changes.deposit]
module = "rules"
"""

Run = Callable[..., pytest.RunResult]


@pytest.fixture
def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Write files into an empty project and run pytest there: in this process, or a new one."""
    monkeypatch.setenv("PYTEST_ADDOPTS", "")
    # What a run registers is its own.
    monkeypatch.setattr(_levels, "_makers", dict(_levels._makers))
    monkeypatch.setattr(_levels, "_made", dict(_levels._made))
    monkeypatch.setattr(levels, "_address", [levels.ServerAddress()])

    def run_pytest(
        files: dict[str, str], *arguments: str, new_process: bool = False
    ) -> pytest.RunResult:
        for name, text in files.items():
            (pytester.path / name).write_text(textwrap.dedent(text), encoding="utf-8")
        # Where the package is only on the path, nothing tells pytest of its plugin.
        named = () if FOUND else ("-p", PLUGIN)
        options = ("-W", "error", "-p", "no:cacheprovider", *named, *arguments)
        if not new_process:
            monkeypatch.syspath_prepend(pytester.path)
            # Without its faulthandler: on leaving, that takes wasmtime's handlers of signals with it.
            return pytester.runpytest_inprocess("-p", "no:faulthandler", *options)
        paths = [str(SOURCE), *filter(None, [os.environ.get("PYTHONPATH")])]
        monkeypatch.setenv("PYTHONPATH", os.pathsep.join(paths))
        return pytester.runpytest_subprocess(*options)

    return run_pytest


def test_the_package_tells_pytest_of_its_plugin() -> None:
    text = (Path(__file__).parents[3] / "pyproject.toml").read_text("utf-8")
    assert f'[project.entry-points.pytest11]\nevidentsource = "{PLUGIN}"' in text


def test_who_does_not_use_it_does_not_notice_it(run: Run) -> None:
    unused = """
        import sys

        def test_nothing_of_the_package_is_loaded_but_the_plugin():
            loaded = {name for name in sys.modules if name.startswith("evidentsource")}
            assert loaded <= {
                "evidentsource_runtime",
                "evidentsource_runtime.testing",
                "evidentsource_runtime.testing.plugin",
            }
            assert "wasmtime" not in sys.modules
    """
    done = run({"test_unused.py": unused}, "--strict-config", new_process=True)
    assert done.ret == 0, str(done.stdout)
    assert "evidentsource:" not in str(done.stdout)


def test_fixtures_give_the_projects_rules_a_clock_and_ids(run: Run) -> None:
    tests = """
        import uuid
        import pytest
        from evidentsource_functions.testing import current_level
        from rules import Deposit

        def test_the_database_has_the_rules_of_the_manifest(es_database, es_clock):
            es_clock.advance(days=1)
            es_database.submit(Deposit("ann", 5))
            (event,) = es_database.all_events()
            assert event.extensions["recordedtime"].value == "2024-01-02T00:00:00.000000Z"

        @pytest.mark.parametrize("again", [1, 2])
        def test_ids_are_the_same_each_time(es_ids, again):
            IDS.append(uuid.uuid4())
            assert len(set(IDS)) == 1

        IDS = []

        def test_the_level_is_native(es_level):
            assert es_level == current_level().name == "native"
    """
    done = run({"test_it.py": tests, "rules.py": RULES, "pyproject.toml": MANIFEST})
    assert done.ret == 0, str(done.stdout)
    assert "4 passed" in str(done.stdout)


MARKED = """
    import pytest
    from evidentsource_functions.testing import current_level

    def test_unmarked(es_level):
        assert es_level == current_level().name

    @pytest.mark.es_level("native")
    def test_native(es_level):
        assert es_level == current_level().name == "native"

    @pytest.mark.es_level("sandbox", "component")
    def test_in_a_component(es_level):
        assert es_level == current_level().name == "sandbox"

    def test_that_fails():
        assert False
"""


def test_without_a_flag_a_test_runs_natively_or_where_it_is_for(run: Run) -> None:
    done = run({"test_marked.py": MARKED}, "-k", "not fails")
    assert "3 passed" in str(done.stdout), str(done.stdout)


def test_a_flag_chooses_the_level_and_says_so(run: Run) -> None:
    done = run({"test_marked.py": MARKED}, "--es-level=sandbox", "-rs")
    assert "evidentsource: level sandbox\n" in str(done.stdout)
    assert "1 failed, 2 passed, 1 skipped" in str(done.stdout)
    assert "it is for the level native, not sandbox" in str(done.stdout)
    # Of a test that failed, whatever it was about.
    assert "- evidentsource -" in str(done.stdout)
    assert "\nlevel sandbox\n" in str(done.stdout)


def test_the_configuration_chooses_a_level_too(run: Run) -> None:
    ini = "[pytest]\nes_level = sandbox\n"
    done = run({"test_marked.py": MARKED, "pytest.ini": ini}, "-k", "not fails")
    assert "evidentsource: level sandbox\n" in str(done.stdout)
    assert "2 passed, 1 skipped" in str(done.stdout)
    over = run({}, "-k", "not fails", "--es-level=native")
    assert "2 passed, 1 skipped" in str(over.stdout)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ["--es-url=http://127.0.0.1:9"],
            "level server: nobody answers HTTP at http://127.0.0.1:9",
        ),
        (["--es-url=http://127.0.0.1:9"], "evidentsource serve --data FOLDER starts a server"),
        (["--es-url=127.0.0.1:50051"], "'127.0.0.1:50051' is no HTTP address"),
        (["--es-grpc=127.0.0.1:9"], "--es-grpc goes with --es-url"),
    ],
    ids=["nobody", "what to do", "no address", "one of two"],
)
def test_a_server_that_is_not_there_is_told_before_any_test_runs(
    arguments: list[str], said: str, run: Run
) -> None:
    done = run({"test_marked.py": MARKED}, "--es-level=server", *arguments)
    assert done.ret == pytest.ExitCode.USAGE_ERROR
    assert said in str(done.stderr)


def test_the_level_all_leaves_a_server_out_that_nobody_has_named(run: Run) -> None:
    tests = """
        from evidentsource_functions.testing import current_level

        def test_it():
            assert not current_level()._others
    """
    done = run({"test_it.py": tests}, "--es-level=all")
    assert done.ret == 0, str(done.stdout)


@pytest.mark.parametrize(
    ("arguments", "files", "said"),
    [
        (["--es-level=moon"], {}, "'moon'"),
        ([], {"pytest.ini": "[pytest]\nes_level = moon\n"}, "'moon': known are native, sandbox"),
        (
            [],
            {
                "test_wrong.py": (
                    "import pytest\n\n@pytest.mark.es_level('moon')\ndef test_it():\n    pass\n"
                )
            },
            "one or more of native, sandbox, component, server, and guard=True or False; it has 'moon'",
        ),
    ],
    ids=["flag", "configuration", "marker"],
)
def test_a_level_that_does_not_exist_is_refused(
    arguments: list[str], files: dict[str, str], said: str, run: Run
) -> None:
    done = run({"test_marked.py": MARKED} | files, *arguments)
    assert done.ret == pytest.ExitCode.USAGE_ERROR
    assert said in str(done.stderr)


def test_a_project_without_rules_is_told_what_es_database_needs(run: Run) -> None:
    done = run({"test_it.py": "def test_it(es_database):\n    pass\n"})
    done.assert_outcomes(errors=1)
    assert "es_database finds no [tool.evidentsource] in a pyproject.toml above" in str(done.stdout)


CLOCK = """
import time
from dataclasses import dataclass
from evidentsource_functions import ProspectiveEvent
from evidentsource_functions.testing import Scenarios

@dataclass
class Pay:
    order_id: str

def decide(db, command: Pay, metadata):
    return [ProspectiveEvent("e", "orders", "paid", data=str(time.time()))]

given = Scenarios("shop", stream="orders").change(decide, "pay").given
"""


def test_a_marker_watches_what_a_test_runs(run: Run) -> None:
    tests = """
        import pytest
        from clock_rules import Pay, given

        @pytest.mark.es_level("native", guard=True)
        def test_watched():
            given().when(Pay("o-1")).then_conditions()

        @pytest.mark.es_level("native", guard=False)
        def test_not_watched():
            given().when(Pay("o-1")).then_conditions()
    """
    done = run({"test_it.py": tests, "clock_rules.py": CLOCK})
    done.assert_outcomes(passed=1, failed=1)
    assert "time.time" in str(done.stdout)


def test_a_test_that_is_watched_elsewhere_runs_in_a_server_unwatched(run: Run) -> None:
    tests = """
        import pytest
        from evidentsource_functions.testing import current_level

        @pytest.mark.es_level("native", "server", guard=True)
        def test_it():
            assert type(current_level()).__name__ == "ServerLevel"
    """
    done = run({"test_it.py": tests}, "--es-level=server")
    done.assert_outcomes(passed=1)


REGISTERED = """
    import pytest
    from evidentsource_functions.testing import Level, level_named, register_level
    from evidentsource_runtime.testing import server_url

    class Server(Level):
        name = "server"

        def stage(self, book, started):
            assert server_url() == "http://localhost:3000"
            return level_named("native").stage(book, started)

    register_level("server", Server)
"""


def test_a_server_can_be_plugged_in(run: Run) -> None:
    tests = """
        from evidentsource_functions.testing import Scenarios, current_level, event
        from rules import Deposit, decide

        def test_it():
            assert current_level().name == "server"
            given = Scenarios("bank", stream="accounts").change(decide, "deposit").given
            given().when(Deposit("ann", 5)).then(event("credited", subject="ann"))
    """
    files = {"conftest.py": REGISTERED, "test_it.py": tests, "rules.py": RULES}
    done = run(files, "--es-level=server", "--es-url=http://localhost:3000")
    assert done.ret == 0, str(done.stdout)
    assert "evidentsource: level server at http://localhost:3000\n" in str(done.stdout)


def test_the_terminal_of_a_run_is_told_nothing_after_it(run: Run) -> None:
    def nobody(_line: str) -> None: ...

    components = session_components()
    before = components.tell(nobody)
    run({"test_one.py": "def test_one(): ..."}, "--es-level=sandbox").assert_outcomes(passed=1)
    assert components.tell(before) is nobody
