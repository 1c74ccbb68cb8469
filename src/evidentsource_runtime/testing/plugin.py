"""The pytest plugin: ``--es-level``, ``--es-url``, the marker ``es_level`` and the fixtures.

pytest loads it in every project whose environment has this package. So it imports nothing but
pytest until a test asks for something of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from evidentsource_functions.testing import Clock, Database
    from evidentsource_runtime.host import StateChangeComponent, StateViewComponent

LEVELS = ("native", "sandbox", "component", "server", "all")
NATIVE = LEVELS[0]
_MARKER = "es_level"
_MARKER_HELP = (
    "es_level(*names, guard=None): the levels of EvidentSource rules (native, sandbox, component, "
    "server) that a test is for; at others it is skipped. guard: whether each call of a rule is "
    "repeated elsewhere to find what is not deterministic (default: in the sandbox; a server does not)"
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options."""
    group = parser.getgroup("evidentsource", "rules of EvidentSource")
    group.addoption(
        "--es-level",
        choices=LEVELS,
        default=None,
        help="where rules run: native (default), sandbox, component, server, or all and compared",
    )
    group.addoption(
        "--es-url",
        default=None,
        metavar="URL",
        help="the server of the levels server and all, such as http://127.0.0.1:3000; "
        "without it the level server starts one of its own, and all leaves it out",
    )
    group.addoption(
        "--es-grpc",
        default=None,
        metavar="HOST:PORT",
        help="where that server answers gRPC (default: port 50051 of the same host)",
    )
    parser.addini("es_level", "where rules run, unless --es-level says it", default=None)


def pytest_configure(config: pytest.Config) -> None:
    """Refuse a level that cannot run before any test does."""
    config.addinivalue_line("markers", _MARKER_HELP)
    chosen = _chosen(config)
    if chosen is not None and chosen not in LEVELS:
        raise pytest.UsageError(f"es_level = {chosen!r}: known are {', '.join(LEVELS)}")
    if chosen in (None, NATIVE):
        return
    from evidentsource_core import EvidentSourceError  # noqa: PLC0415 - see the module's docstring
    from evidentsource_functions.testing import level_named  # noqa: PLC0415
    from evidentsource_runtime.testing.levels import set_server_url  # noqa: PLC0415

    url, grpc = config.getoption("--es-url"), config.getoption("--es-grpc")
    if grpc and not url:
        raise pytest.UsageError("--es-grpc goes with --es-url, over which rules are published")
    set_server_url(url, grpc)
    try:
        level_named(chosen)
    except EvidentSourceError as error:
        raise pytest.UsageError(str(error)) from error


def pytest_report_header(config: pytest.Config) -> list[str]:
    """Say the level, where somebody chose one."""
    chosen = _chosen(config)
    if chosen is None:
        return []
    url = config.getoption("--es-url")
    return [f"evidentsource: level {chosen}" + (f" at {url}" if url else "")]


def pytest_sessionstart(session: pytest.Session) -> None:
    """Let whoever waits for a build see what for."""
    manager = session.config.pluginmanager
    reporter: Any = manager.get_plugin("terminalreporter")
    capture: Any = manager.get_plugin("capturemanager")
    if reporter is None or _chosen(session.config) in (None, NATIVE):
        return
    from evidentsource_runtime.testing.components import session_components  # noqa: PLC0415

    def tell(line: str) -> None:
        with capture.global_and_fixture_disabled() if capture else nullcontext():
            reporter.ensure_newline()
            reporter.write_line(f"evidentsource: {line}")

    before = session_components().tell(tell)

    def tell_who_was_told_before() -> None:
        session_components().tell(before)

    # The components outlive this run where a program runs pytest; its terminal does not.
    session.config.add_cleanup(tell_who_was_told_before)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Refuse markers that name no level."""
    for item in items:
        marker = item.get_closest_marker(_MARKER)
        if marker is not None and not (
            marker.args and set(marker.args) <= set(LEVELS[:-1]) and set(marker.kwargs) <= {"guard"}
        ):
            known = ", ".join(LEVELS[:-1])
            raise pytest.UsageError(
                f"{item.nodeid}: es_level takes one or more of {known}, and guard=True or False; "
                f"it has {_said(marker)}"
            )


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Run a test at its level, from its first fixture to its last."""
    level, reason = _level_of(item)
    marker = item.get_closest_marker(_MARKER)
    guard = None if marker is None else marker.kwargs.get("guard")
    if reason is not None or (level == NATIVE and not guard):
        yield
        return
    from evidentsource_runtime.testing.levels import use_level  # noqa: PLC0415

    with ExitStack() as stack:
        stack.enter_context(use_level(_instance(level, item, guard)))
        yield


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test that is not for the level."""
    reason = _level_of(item)[1]
    if reason is not None:
        pytest.skip(reason)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Say the level of a test that failed."""
    outcome: Any = yield
    report = outcome.get_result()
    level = _level_of(item)[0]
    if report.failed and (level != NATIVE or _chosen(item.config) is not None):
        report.sections.append(("evidentsource", f"level {level}"))


@pytest.fixture
def es_level(request: pytest.FixtureRequest) -> str:
    """The level that the test runs at."""
    return _level_of(request.node)[0]


@pytest.fixture
def es_clock() -> Clock:
    """A clock that stands at the beginning of 2024 until the test moves it."""
    from evidentsource_functions.testing import Clock  # noqa: PLC0415

    return Clock()


@pytest.fixture
def es_ids(es_level: str) -> Iterator[None]:
    """The ids that ``uuid.uuid4()`` makes are the same at every run. Natively only."""
    from evidentsource_functions.testing import stable_ids  # noqa: PLC0415

    if es_level != NATIVE:
        pytest.skip(f"es_ids holds for rules in this process, not at the level {es_level}")
    with stable_ids():
        yield


@pytest.fixture
def es_database(request: pytest.FixtureRequest, es_clock: Clock) -> Database:
    """A database with every rule that the nearest ``[tool.evidentsource]`` names.

    Its clock is the fixture ``es_clock``. The rules run at the test's level: for a database in memory,
    or, at the level ``server``, in a database of that server.
    """
    from evidentsource_runtime.testing.projects import project_database  # noqa: PLC0415

    folder = _project(request)
    if not _names_rules(folder):
        raise pytest.UsageError(
            f"es_database finds no [tool.evidentsource] in a pyproject.toml above {request.path}: "
            'name the components there, or write Database.in_memory("NAME") and publish them'
        )
    return project_database(folder, clock=es_clock)


@pytest.fixture
def es_component(
    request: pytest.FixtureRequest, es_level: str
) -> Callable[..., StateViewComponent | StateChangeComponent]:
    """Gives the component of a module: ``es_component("savings.withdraw")``.

    It is made once a session: built, from the cache where it can be; at the level ``sandbox`` it is
    the module's source. Further arguments are those of ``RuleSource``: ``pure``, ``dependencies``,
    ``wit``.
    """
    from evidentsource_functions.testing import RuleSource  # noqa: PLC0415
    from evidentsource_runtime.testing.components import session_components  # noqa: PLC0415

    folder = _project(request)

    def component(module: str, **settings: Any) -> StateViewComponent | StateChangeComponent:
        source = RuleSource(module, folder, **settings)
        components = session_components()
        return components.from_source(source) if es_level == "sandbox" else components.built(source)

    return component


def _chosen(config: pytest.Config) -> str | None:
    """The level that somebody chose, on the command line or in the configuration."""
    return config.getoption("--es-level") or config.getini("es_level") or None


def _level_of(item: pytest.Item) -> tuple[str, str | None]:
    """A test's level, and why it is skipped there, if it is."""
    chosen = _chosen(item.config)
    marker = item.get_closest_marker(_MARKER)
    if marker is None:
        return chosen or NATIVE, None
    names = [str(name) for name in marker.args]
    if chosen is None:
        return NATIVE if NATIVE in names else names[0], None
    if chosen == "all" or chosen in names:
        return chosen, None
    return chosen, f"it is for the level {' or '.join(names)}, not {chosen}"


def _instance(level: str, item: pytest.Item, guard: bool | None) -> Any:
    """The level itself; of ``all``, those that a test's marker leaves."""
    from evidentsource_functions.testing import level_named  # noqa: PLC0415
    from evidentsource_runtime.testing.guard.rules import guarded  # noqa: PLC0415
    from evidentsource_runtime.testing.levels import SandboxLevel, all_of  # noqa: PLC0415

    if level == "sandbox" and guard is not None:
        return SandboxLevel(guard=guard)
    marker = item.get_closest_marker(_MARKER)
    if level == "all" and marker is not None:
        return all_of([str(name) for name in marker.args])
    # Rules in a server are not called here, and so not watched.
    return guarded(level) if guard and level != "server" else level_named(level)


def _said(marker: pytest.Mark) -> str:
    parts = [repr(each) for each in marker.args]
    parts += [f"{name}={value!r}" for name, value in marker.kwargs.items()]
    return ", ".join(parts) or "nothing"


def _project(request: pytest.FixtureRequest) -> Path:
    """The nearest folder above a test whose pyproject.toml has a ``[tool.evidentsource]``."""
    start = Path(request.path).parent
    for folder in (start, *start.parents):
        if _names_rules(folder):
            return folder
    return Path(request.config.rootpath)


def _names_rules(folder: Path) -> bool:
    file = folder / "pyproject.toml"
    return file.is_file() and "[tool.evidentsource" in file.read_text("utf-8")
