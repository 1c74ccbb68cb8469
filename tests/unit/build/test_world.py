"""Which world a module is for, and what is wrong with what it exports."""

from __future__ import annotations

from typing import Any

import pytest

from evidentsource_runtime.build import PreflightFailed
from evidentsource_runtime.build.world import find_world, takes_lane

VIEW = """
from evidentsource_functions import StateViewBase
from evidentsource_functions.wasm import StateViewAdapter
class Count(StateViewBase):
    def evolve_event(self, event): ...
"""
CHANGE = """
from evidentsource_functions.wasm import StateChangeAdapter
def decide(db, command, metadata): ...
"""

WORLDS: dict[str, tuple[str, str, dict[str, str]]] = {
    "a view adapter": (
        "state-view",
        VIEW + "class WitWorld(StateViewAdapter):\n    state_view_type = Count\n",
        {},
    ),
    "a change adapter": (
        "state-change",
        CHANGE + "class WitWorld(StateChangeAdapter):\n    decide_func = decide\n",
        {},
    ),
    "the module's decide": (
        "state-change",
        CHANGE + "class WitWorld(StateChangeAdapter): ...\n",
        {},
    ),
    "a decide of its own": (
        "state-change",
        (
            "from evidentsource_functions import wasm\n"
            "class WitWorld(wasm.StateChangeAdapter):\n    def decide(db, c, m): ...\n"
        ),
        {},
    ),
    "an alias": (
        "state-view",
        VIEW.replace("StateViewAdapter", "StateViewAdapter as Base")
        + "class Mine(Base):\n    state_view_type = Count\nWitWorld = Mine\n",
        {},
    ),
    "the adapters' own module": (
        "state-change",
        (
            "from evidentsource_functions.wasm.adapters import StateChangeAdapter\n"
            "def decide(): ...\nclass WitWorld(StateChangeAdapter): ...\n"
        ),
        {},
    ),
    "a base of the user's in another module": (
        "state-view",
        "from base import Common\nclass WitWorld(Common): ...\n",
        {"base.py": VIEW + "class Common(StateViewAdapter):\n    state_view_type = Count\n"},
    ),
    "an export from another module": (
        "state-view",
        "from base import WitWorld\n",
        {"base.py": VIEW + "class WitWorld(StateViewAdapter):\n    state_view_type = Count\n"},
    ),
    "the plain bindings with evolve": (
        "state-view",
        "import wit_world\nclass WitWorld(wit_world.WitWorld):\n    def evolve(self, s, e): ...\n",
        {},
    ),
    "a plain class with decide": (
        "state-change",
        "class WitWorld:\n    def decide(self, d, c, m): ...\n",
        {},
    ),
    "a generic base": (
        "state-view",
        VIEW.replace("(StateViewBase)", "(StateViewBase[int])")
        + "class WitWorld(StateViewAdapter):\n    state_view_type = Count\n",
        {},
    ),
}


@pytest.mark.parametrize("case", WORLDS)
def test_the_world_shows_from_the_source(read: Any, case: str) -> None:
    world, text, others = WORLDS[case]
    assert find_world(read(text, **others)) == world


REFUSED: dict[str, tuple[str, int | None, str, str]] = {
    "no WitWorld": ("missing-wit-world", None, "x = 1\n", "StateViewAdapter"),
    "a misspelled WitWorld": (
        "missing-wit-world",
        6,
        VIEW + "class WitWrld(StateViewAdapter):\n    state_view_type = Count\n",
        "did you mean WitWorld where it says WitWrld?",
    ),
    "neither world": (
        "no-world",
        1,
        "class WitWorld:\n    def other(self): ...\n",
        "StateViewAdapter",
    ),
    "a misspelled method": (
        "no-world",
        2,
        "import wit_world\nclass WitWorld(wit_world.WitWorld):\n    def evolv(self, s, e): ...\n",
        "did you mean evolve where it says evolv?",
    ),
    "both methods": (
        "ambiguous-world",
        1,
        "class WitWorld:\n    def evolve(self): ...\n    def decide(self): ...\n",
        "a module of its own",
    ),
    "both adapters": (
        "ambiguous-world",
        2,
        (
            "from evidentsource_functions.wasm import StateViewAdapter, StateChangeAdapter\n"
            "class WitWorld(StateViewAdapter, StateChangeAdapter): ...\n"
        ),
        "a module of its own",
    ),
    "no state_view_type": (
        "missing-member",
        6,
        VIEW + "class WitWorld(StateViewAdapter): ...\n",
        "define state_view_type in WitWorld",
    ),
    "a misspelled state_view_type": (
        "misspelled-member",
        7,
        VIEW + "class WitWorld(StateViewAdapter):\n    state_view_typ = Count\n",
        "did you mean state_view_type where it says state_view_typ?",
    ),
    "a misspelled evolve_event": (
        "misspelled-member",
        5,
        VIEW.replace("evolve_event", "evolve_evnt")
        + "class WitWorld(StateViewAdapter):\n    state_view_type = Count\n",
        "did you mean evolve_event where it says evolve_evnt?",
    ),
    "a view that defines nothing": (
        "missing-member",
        4,
        VIEW.replace("    def evolve_event(self, event): ...", "    total = 0")
        + "class WitWorld(StateViewAdapter):\n    state_view_type = Count\n",
        "define evolve_event in Count",
    ),
    "an abstract method": (
        "abstract-method",
        9,
        VIEW
        + "import abc\nclass Base(Count):\n    @abc.abstractmethod\n    def total(self): ...\n"
        + "class Real(Base): ...\nclass WitWorld(StateViewAdapter):\n    state_view_type = Real\n",
        "total is declared at view.py:9",
    ),
    "no rule": (
        "missing-member",
        2,
        (
            "from evidentsource_functions.wasm import StateChangeAdapter\n"
            "class WitWorld(StateChangeAdapter): ...\n"
        ),
        "define decide_func in WitWorld",
    ),
    "a misspelled rule": (
        "misspelled-member",
        3,
        (
            "from evidentsource_functions.wasm import StateChangeAdapter\n"
            "class WitWorld(StateChangeAdapter):\n    decide_fun = len\n"
        ),
        "did you mean decide_func where it says decide_fun?",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_exported_is_refused_with_the_line_and_the_fix(read: Any, case: str) -> None:
    code, line, text, hint = REFUSED[case]
    with pytest.raises(PreflightFailed) as caught:
        find_world(read(text))
    assert caught.value.code == code
    if case == "an abstract method":
        assert "Real does not define the abstract method total" in str(caught.value)
    else:
        assert caught.value.line == line
    assert hint in str(caught.value.hint)


def test_the_user_decides_where_the_source_leaves_the_world_open(read: Any) -> None:
    closure = read("from somewhere_else import WitWorld\n")
    assert find_world(closure, "state-change") == "state-change"


def test_a_world_that_the_source_contradicts_is_refused(read: Any) -> None:
    closure = read("class WitWorld:\n    def evolve(self, s, e): ...\n")
    with pytest.raises(PreflightFailed) as caught:
        find_world(closure, "state-change")
    assert (caught.value.code, caught.value.line) == ("other-world", 1)


def test_a_class_from_a_dependency_is_left_to_the_build(read: Any) -> None:
    closure = read(
        (
            "import attr\nfrom evidentsource_functions.wasm import StateViewAdapter\n"
            "class WitWorld(StateViewAdapter):\n    state_view_type = attr.Attribute\n"
        ),
        dependencies=("attrs",),
    )
    assert find_world(closure) == "state-view"


LANES: dict[str, tuple[bool, str, dict[str, str]]] = {
    "the adapter": (True, "class WitWorld(StateViewAdapter):\n    state_view_type = Count\n", {}),
    "by way of a class of one's own": (
        True,
        "class Mine(StateViewAdapter): ...\nclass WitWorld(Mine):\n    state_view_type = Count\n",
        {},
    ),
    "an evolve of its own": (
        False,
        (
            "class WitWorld(StateViewAdapter):\n    state_view_type = Count\n"
            "    def evolve(self, state_view, events): ...\n"
        ),
        {},
    ),
    "an evolve out of a class between": (
        False,
        "from base import Mine\nclass WitWorld(Mine):\n    state_view_type = Count\n",
        {
            "base.py": (
                "from evidentsource_functions.wasm import StateViewAdapter\n"
                "class Mine(StateViewAdapter):\n    def evolve(self, state_view, events): ...\n"
            )
        },
    ),
    "by hand": (False, "class WitWorld:\n    def evolve(self, state_view, events): ...\n", {}),
    "from elsewhere": (False, "from json import JSONDecoder as WitWorld\n", {}),
}


@pytest.mark.parametrize("name", LANES)
def test_a_view_has_the_lane_where_the_adapters_own_evolve_folds(read: Any, name: str) -> None:
    expected, source, others = LANES[name]
    assert takes_lane(read(VIEW + source, **others)) is expected


def test_a_state_change_has_no_lane(read: Any) -> None:
    source = "class WitWorld(StateChangeAdapter):\n    decide_func = decide\n"
    assert not takes_lane(read(CHANGE + source))
