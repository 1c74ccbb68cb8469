"""Builds of a project as it grows: an edit, a mistake, everything that its manifest names."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from evidentsource_runtime.build import build, build_project
from evidentsource_runtime.cli import main
from tests.component.build.conftest import Evolve
from tests.whole import whole

QUICKSTART = Path(__file__).parents[3] / "examples" / "quickstart"

pytestmark = [pytest.mark.component, pytest.mark.xdist_group("bases")]


EDITED = """
from evidentsource_functions import StateViewBase
from evidentsource_functions.wasm import StateViewAdapter


class View(StateViewBase):
    word: str = "word"

    def evolve_event(self, event):
        pass

    def to_dict(self):
        return {"said": self.word}


class WitWorld(StateViewAdapter):
    state_view_type = View
"""


def test_an_edit_is_built(project: Path, evolve: Evolve) -> None:
    hashes = set()
    for word in ("first", "second"):
        (project / "view.py").write_text(EDITED.replace("word", word))
        built = build("view", reproducible=True)
        hashes.add(built.input_hash)
        assert evolve(built.path, "a") == f'{{"said": "{word}"}}'.encode()
    assert len(hashes) == 2


VIEW = """
import json
import wit_world
class WitWorld(wit_world.WitWorld):
    def evolve(self, state_view, events):
        return json.dumps({"events": len(events)}).encode()
"""


BROKEN_AT_IMPORT = VIEW + "\ndef load():\n    return 1 / 0\n\nTABLE = load()\n"


@pytest.mark.parametrize("options", [["--reproducible"], pytest.param([], marks=whole)], ids=str)
def test_what_fails_while_it_is_imported_shows_the_guests_traceback(
    project: Path, capsys: pytest.CaptureFixture[str], options: list[str]
) -> None:
    (project / "view.py").write_text(BROKEN_AT_IMPORT)
    (project / "view.wasm").write_bytes(b"as it was")
    assert main(["build", "view", "--json", *options]) == 1
    output = capsys.readouterr()
    (error,) = json.loads(output.out)["errors"]
    assert (error["code"], error["file"], error["line"]) == (
        "import-failed",
        str(project / "view.py"),
        9,
    )
    traceback = error["guest_traceback"]
    assert traceback.splitlines()[0] == "Traceback (most recent call last):"
    assert f'  File "{project / "view.py"}", line 11, in <module>' in traceback
    assert traceback.endswith("ZeroDivisionError: division by zero")
    assert "componentize" not in traceback
    assert output.err == ""
    assert (project / "view.wasm").read_bytes() == b"as it was"
    assert sorted(path.name for path in project.iterdir()) == ["view.py", "view.wasm"]


@pytest.mark.parametrize("reproducible", [True, pytest.param(False, marks=whole)])
def test_a_project_is_built_with_its_metadata(
    project: Path, evolve: Evolve, reproducible: bool
) -> None:
    for name in ("my_state_view", "my_state_change"):
        (project / f"{name}.py").write_bytes((QUICKSTART / f"{name}.py").read_bytes())
    (project / "pyproject.toml").write_text(
        '[tool.evidentsource]\ndatabase = "bank"\n'
        "[tool.evidentsource.state-views.account]\n"
        'module = "my_state_view"\nselector = { subject = { parameter = "account_id" } }\n'
        "[tool.evidentsource.state-changes.account]\n"
        'module = "my_state_change.py"\ndescription = "Deposit."\n'
    )
    (project / "deep").mkdir()
    events: list[tuple[str, str]] = []
    result = build_project(
        project / "deep",
        reproducible=reproducible,
        progress=lambda name, what, _: events.append((name, what)),
    )
    folder = project / "dist" / "components"
    assert sorted(path.name for path in folder.iterdir()) == [
        "account.state-change.json",
        "account.state-change.wasm",
        "account.state-view.json",
        "account.state-view.wasm",
    ]
    metadata = json.loads(result.metadata["account.state-view"].read_text("utf-8"))
    assert metadata["event_selector"] == {"equals": {"subject": {"parameter": "account_id"}}}
    assert json.loads((folder / "account.state-change.json").read_text("utf-8")) == {
        "state_change_name": "account",
        "description": "Deposit.",
    }
    assert events.count(("account", "done")) == 2
    content = evolve(folder / "account.state-view.wasm")
    assert json.loads(content or b"")["transaction_count"] == 0
