"""Programs that are loaded from their source behave like those that are built from it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from evidentsource_functions import StateChangeError
from evidentsource_runtime.build import BuildError, ComponentizeFailed, build
from evidentsource_runtime.cachedir import cache_directory
from evidentsource_runtime.host import CompileProgress, ComponentTrap, Host
from tests.component.instant.conftest import CHANGE, VIEW, Write, said
from tests.whole import WHOLE, whole

pytestmark = [pytest.mark.component, pytest.mark.xdist_group("bases")]

VARIANT = Path(__file__).parents[2] / "data" / "host" / "variant.wit"


def change(top: str = "", words: str = "''") -> str:
    return CHANGE.format(top=top, said=words)


def test_packages_relative_imports_and_folders_without_init_are_handed_over(
    host: Host, write: Write
) -> None:
    write(
        {
            "bank/rules/change.py": change(
                "from .words import WORD\nimport shared.more", "WORD + shared.more.MORE"
            ),
            "bank/__init__.py": "",
            "bank/rules/__init__.py": "",
            "bank/rules/words.py": "from .. import rules\nWORD = rules.__name__",
            "shared/more.py": "MORE = '!'",
        }
    )
    folder = write({"unused.py": ""}).parent
    assert said(host.load_source("bank.rules.change", directory=folder)) == "bank.rules!"
    assert said(host.load_source(folder / "bank" / "rules" / "change.py")) == "bank.rules!"


def test_a_named_dependency_is_handed_over(host: Host, write: Write) -> None:
    file = write(
        {"change.py": change("from sortedcontainers import SortedList", "SortedList([3, 1, 2])")}
    )
    with pytest.raises(BuildError) as refused:
        host.load_source(file)
    assert refused.value.code == "undeclared-dependency"
    component = host.load_source(file, dependencies=["sortedcontainers"])
    assert said(component) == "SortedList([1, 2, 3])"
    assert component.facts is not None
    assert set(component.facts.dependencies) == {"sortedcontainers"}


def test_an_edit_is_seen_at_the_next_load(host: Host, write: Write) -> None:
    first = host.load_source(write({"change.py": change(words="'one'")}))
    second = host.load_source(write({"change.py": change(words="'two'")}))
    assert (said(first), said(second), said(first)) == ("one", "two", "one")
    assert first.digest != second.digest


def frames(error: ComponentizeFailed) -> list[str]:
    return [line for line in error.guest_traceback.splitlines() if "File" in line]


def test_an_error_in_an_import_is_that_of_a_build(host: Host, write: Write) -> None:
    file = write(
        {"change.py": change("import other"), "other.py": "def f():\n    {}['boom']\n\n\nf()\n"}
    )
    with pytest.raises(ComponentizeFailed) as instantly:
        host.load_source(file)
    assert instantly.value.file == file.parent / "other.py"
    assert (instantly.value.code, instantly.value.line) == ("import-failed", 2)
    if WHOLE:
        with pytest.raises(ComponentizeFailed) as built:
            build(file, output=file.with_suffix(".wasm"))
        assert instantly.value.problems == built.value.problems
        assert frames(instantly.value) == frames(built.value)


def test_a_module_imported_by_a_computed_name_is_said_to_be_missing(
    host: Host, write: Write
) -> None:
    top = 'import importlib\nimportlib.import_module("hel" + "per")'
    file = write({"change.py": change(top), "helper.py": ""})
    with pytest.raises(ComponentizeFailed) as caught:
        host.load_source(file)
    assert "No module named 'helper'" in str(caught.value)
    assert caught.value.line == 6
    assert caught.value.hint is not None
    assert "computed name" in caught.value.hint


@pytest.mark.parametrize(
    ("top", "line"),
    [("import sqlite3", 5), ("try:\n    import sqlite3\nexcept ImportError: 1", 6)],
)
def test_a_module_that_only_a_build_has_is_named_with_the_fix(
    host: Host, write: Write, top: str, line: int
) -> None:
    with pytest.raises(BuildError) as refused:
        host.load_source(write({"change.py": change(top)}))
    assert (refused.value.code, refused.value.line) == ("base-lacks-module", line)
    assert "no module sqlite3" in str(refused.value)
    assert refused.value.hint is not None
    assert "evidentsource build" in refused.value.hint


def test_a_guarded_import_of_what_no_component_has_takes_the_other_way(
    host: Host, write: Write
) -> None:
    top = "try:\n    import ssl\nexcept ImportError:\n    ssl = 'none'"
    assert said(host.load_source(write({"change.py": change(top, "ssl")}))) == "none"


def test_what_a_function_imports_too_late_is_refused_as_by_a_build(
    host: Host, write: Write
) -> None:
    file = write({"change.py": change("def f():\n    import other"), "other.py": ""})
    with pytest.raises(BuildError) as refused:
        host.load_source(file)
    assert refused.value.code == "late-import"


def test_what_is_not_imported_at_the_top_cannot_be_imported_later(host: Host, write: Write) -> None:
    top = (
        "def late():\n    try:\n        import other\n    except ImportError:\n"
        "        return 'gone'\n    return 'there'"
    )
    file = write({"change.py": change(top, "late()"), "other.py": ""})
    assert said(host.load_source(file)) == "gone"


def test_an_internal_error_names_module_and_line(host: Host, write: Write) -> None:
    component = host.load_source(write({"change.py": change(words="1 / 0")}))
    with pytest.raises(StateChangeError) as raised:
        said(component)
    assert raised.value.message.splitlines()[-1] == "  at change:9 in decide"


def test_a_failing_view_shows_the_users_file_and_line(host: Host, write: Write) -> None:
    file = write({"view.py": VIEW.format(top="", said="1 / 0")})
    with pytest.raises(ComponentTrap) as raised:
        said(host.load_source(file))
    assert f'File "{file}", line 13, in evolve_event\n' in raised.value.guest_traceback
    assert "self.said += str(1 / 0)" in raised.value.guest_traceback


def test_the_top_of_a_module_runs_in_each_instance(host: Host, write: Write) -> None:
    top = "import itertools\nCOUNT = itertools.count(1)"
    component = host.load_source(write({"change.py": change(top, "next(COUNT)")}))
    assert [said(component) for _ in range(4)] == ["1"] * 4


def test_damaged_bytecode_is_made_anew(host: Host, write: Write) -> None:
    file = write({"change.py": change(words="'whole'")})
    component = host.load_source(file)
    assert [said(component) for _ in range(3)] == ["whole"] * 3
    kept = cache_directory("programs") / f"{component.digest}.txt"
    kept.write_text(kept.read_text()[:-20])
    assert [said(host.load_source(file)) for _ in range(3)] == ["whole"] * 3
    again = host.load_source(file)
    assert [said(again) for _ in range(2)] == ["whole"] * 2


def test_calls_on_several_threads_give_the_same(host: Host, write: Write) -> None:
    component = host.load_source(write({"change.py": change(words="db.name")}))
    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(lambda _: said(component), range(24))) == {"bank"}


@pytest.mark.parametrize("template", [CHANGE, VIEW])
def test_a_pure_program_is_refused_the_clock_with_words(
    host: Host, write: Write, template: str
) -> None:
    text = template.format(top="import time", said="time.time()")
    line = 1 + text.splitlines().index(next(x for x in text.splitlines() if "time.time()" in x))
    component = host.load_source(write({"module.py": text}), pure=True)
    with pytest.raises((StateChangeError, ComponentTrap)) as raised:
        said(component)
    told = f"{raised.value}\n{getattr(raised.value, 'guest_traceback', '')}"
    assert f"time.time() in a pure component, at /0/module.py:{line}" in told


def test_a_pure_program_is_refused_the_clock_while_it_is_imported_too(
    host: Host, write: Write
) -> None:
    file = write({"change.py": change("import time\nNOW = time.time()", "NOW")})
    with pytest.raises(ComponentizeFailed) as refused:
        host.load_source(file, pure=True)
    assert (refused.value.file, refused.value.line) == (file, 6)


@whole
def test_another_contract_has_a_base_of_its_own(host: Host, write: Write) -> None:
    file = write({"view.py": VIEW.format(top="", said="'seen'")})
    component = host.load_source(file, wit=VARIANT)
    assert said(component) == '{"said": "seen"}'
    assert component.digest != host.load_source(file).digest


def test_a_warm_load_compiles_and_builds_nothing(write: Write) -> None:
    told: list[CompileProgress] = []
    component = Host(progress=told.append).load_source(write({"change.py": change(words="7")}))
    assert said(component) == "7"
    assert told == []
