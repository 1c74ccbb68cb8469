"""Rules as a project's manifest names them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evidentsource_core import QueryTemporality
from evidentsource_functions import InvalidDefinition
from evidentsource_functions.testing import Clock, command, event
from evidentsource_runtime.build import BuildError, ManifestError
from evidentsource_runtime.testing import project_database, project_scenarios
from evidentsource_runtime.testing.projects import project_rules

BANK = Path(__file__).parents[3] / "examples" / "savings_account"

MANIFEST = """
[tool.evidentsource]
database = "shop"
pure = true

[tool.evidentsource.state-views.paid-orders]
module = "{package}.paid"
selector = {{ stream = "orders" }}
temporality = "effective_timestamp"
content-type = "application/vnd.paid+json"

[tool.evidentsource.state-changes.pay]
module = "{package}.pay"
"""
VIEW = """
from dataclasses import dataclass
from evidentsource_functions import StateViewBase
from evidentsource_functions.wasm import StateViewAdapter

@dataclass
class Paid(StateViewBase):
    orders: int = 0

    def evolve_event(self, event):
        self.orders += 1

class WitWorld(StateViewAdapter):
    state_view_type = Paid
"""
CHANGE = """
from dataclasses import dataclass
from evidentsource_functions import ProspectiveEvent
from evidentsource_functions.wasm import StateChangeAdapter

@dataclass
class Pay:
    order_id: str

class WitWorld(StateChangeAdapter):
    command_type = Pay

    @staticmethod
    def decide(db, command, metadata):
        return [ProspectiveEvent(command.order_id, "orders", "order.paid")]
"""

Project = Callable[..., Path]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """Write a project whose package is called after the test, and forget it afterwards."""
    monkeypatch.setattr(sys, "path", list(sys.path))

    def write(package: str, **files: str) -> Path:
        modules = {"__init__": "", "paid": VIEW, "pay": CHANGE} | files
        (tmp_path / package).mkdir()
        for name, text in modules.items():
            (tmp_path / package / f"{name}.py").write_text(text, encoding="utf-8")
        (tmp_path / "pyproject.toml").write_text(MANIFEST.format(package=package), "utf-8")
        return tmp_path

    return write


def test_names_selectors_and_settings_are_those_of_the_manifest(project: Project) -> None:
    folder = project("shop_named")
    book = project_rules(folder / "shop_named", stream="orders")
    ((view,), (change,)) = book.views, book.changes
    assert (book.database, book.stream) == ("shop", "orders")
    assert (view.name, change.name) == ("paid-orders", "pay")
    assert view.definition.temporality is QueryTemporality.EFFECTIVE_TIMESTAMP
    assert view.definition.content_type == "application/vnd.paid+json"
    assert change.command_type.__name__ == "Pay"
    for rule, module in ((view, "shop_named.paid"), (change, "shop_named.pay")):
        assert rule.source is not None
        assert (rule.source.module, rule.source.directory) == (module, folder)
        assert rule.source.pure


def test_scenarios_of_a_project_play_its_rules(project: Project) -> None:
    given = project_scenarios(project("shop_played"), stream="orders").given
    sent = command("pay", order_id="o-1")
    given().when(sent).then(event("order.paid")).then_view({"orders": 1}, "paid-orders")


def test_a_database_of_a_project_has_its_rules(project: Project) -> None:
    clock = Clock("2024-05-01")
    database = project_database(project("shop_database"), clock=clock)
    assert database.submit(command("pay", order_id="o-1")).revision == 1
    assert (database.name, database.revision_timestamp) == ("shop", clock())


def test_a_module_that_the_tests_know_is_the_one_that_is_used() -> None:
    from examples.savings_account.savings.account_summary import AccountSummary
    from examples.savings_account.savings.deposit import Deposit

    bank = project_scenarios(BANK, stream="accounts")
    assert bank.book.view_for(AccountSummary).name == "account-summary"
    assert bank.book.change_for(Deposit("r", "ann", 1)).name == "deposit"
    # The component is still built of the module that the manifest names.
    source = bank.book.views[0].source
    assert source is not None
    assert source.module == "savings.account_summary"


def test_no_file_becomes_two_modules() -> None:
    project_rules(BANK)
    files = [getattr(module, "__file__", None) for module in list(sys.modules.values())]
    own = [file for file in files if file and Path(file).is_relative_to(BANK / "savings")]
    assert len(own) == len(set(own)) >= 8


def test_a_folder_without_a_project_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match=r"no pyproject\.toml"):
        project_rules(tmp_path)


def test_a_module_that_is_not_there_is_refused(project: Project) -> None:
    folder = project("shop_lacking")
    (folder / "shop_lacking" / "pay.py").unlink()
    with pytest.raises(BuildError, match=r"there is no module shop_lacking\.pay"):
        project_rules(folder)


@pytest.mark.parametrize("text", ["", "class WitWorld:\n    pass\n", VIEW])
def test_a_module_without_a_world_of_its_kind_is_refused(text: str, project: Project) -> None:
    name = f"shop_of_{len(text)}"
    with pytest.raises(
        InvalidDefinition, match=rf"{name}\.pay, the module of pay, has no WitWorld"
    ):
        project_rules(project(name, pay=text))


def test_the_current_directory_is_the_project_where_none_is_named(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project("shop_here"))
    given: Any = project_scenarios(stream="orders").given
    given().when(command("pay", order_id="o-1")).then(event("order.paid"))
