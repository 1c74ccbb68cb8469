"""`[tool.evidentsource]` in a project's `pyproject.toml`: which components the project has.

[tool.evidentsource]
database = "bank"

[tool.evidentsource.state-views.account-summary]
module = "bank.account_summary"
selector = { all = [{ stream = "accounts" }, { subject = { parameter = "account_id" } }] }

[tool.evidentsource.state-changes.deposit]
module = "bank.deposit"
"""

from __future__ import annotations

import difflib
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from evidentsource_core.domain.definitions import (
    QueryTemporality,
    SelectorTemplate,
    StateChangeDefinition,
    StateViewDefinition,
)
from evidentsource_core.domain.errors import EvidentSourceError
from evidentsource_core.domain.identifiers import DatabaseName, StateChangeName, StateViewName
from evidentsource_runtime.build.errors import ManifestError
from evidentsource_runtime.build.selectors import SelectorFormError, read_selector, selector_json
from evidentsource_runtime.build.toml_lines import line_of
from evidentsource_runtime.problems import Problem

_TABLE = ("tool", "evidentsource")
_VIEWS, _CHANGES = "state-views", "state-changes"
_TOP_KEYS = ("database", "dependencies", "pure", "contract-only", "wit", _VIEWS, _CHANGES)
_COMMON_KEYS = (
    *("module", "description", "dependencies", "pure", "contract-only"),
    "source-code-uri",
)
_FLAGS = ("pure", "contract-only")
_CHANGE_KEYS = _COMMON_KEYS
_VIEW_KEYS = (*_COMMON_KEYS, "selector", "temporality", "content-type", "schema")
_TEMPORALITIES = {each.value: each for each in QueryTemporality} | {
    "effective-timestamp": QueryTemporality.EFFECTIVE_TIMESTAMP,
}


@dataclass(frozen=True, slots=True)
class ComponentSpec:
    """One component that a project names.

    Args:
        name: that it is published under.
        world: "state-view" or "state-change".
        module: dotted, or a path relative to the project.
        line: where the manifest names it.
        definition: what it is published as: name, selector with parameters and the like.
        pure: whether to build it without clock, randomness and files.
        contract_only: whether it exports what the contract has and nothing else.
        dependencies: distributions to build in.
    """

    name: str
    world: str
    module: str
    line: int | None
    definition: StateViewDefinition | StateChangeDefinition
    pure: bool = False
    contract_only: bool = False
    dependencies: tuple[str, ...] = ()
    source_code_uri: str | None = None

    def metadata(self) -> dict[str, Any]:
        """Return what is published beside the component, as JSON values."""
        definition = self.definition
        values: dict[str, Any]
        if isinstance(definition, StateViewDefinition):
            values = {
                "state_view_name": self.name,
                "description": definition.description,
                "source_code_uri": self.source_code_uri,
                "content_type": definition.content_type,
                "content_schema": definition.content_schema,
                "event_selector": selector_json(definition.selector),
                "query_temporality": definition.temporality.value,
            }
        else:
            values = {
                "state_change_name": self.name,
                "description": definition.description,
                "source_code_uri": self.source_code_uri,
            }
        return {key: value for key, value in values.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Manifest:
    """A project and its components.

    Args:
        file: the `pyproject.toml`.
        database: the name of the database that the components belong to.
        components: state views first, each kind in the order of the file.
        wit: another contract, relative to the project.
    """

    file: Path
    database: str
    components: tuple[ComponentSpec, ...]
    wit: str | None = None


def read_manifest(file: Path) -> Manifest:
    """Read a project's manifest and check all of it.

    Args:
        file: a `pyproject.toml`.

    Raises:
        ManifestError: with the line, and the nearest name where one is misspelled.
    """
    try:
        text = file.read_text("utf-8")
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        place = re.search(r"\(at line (\d+)", str(error))
        message = f"the file is no valid TOML: {error}"
        line = int(place[1]) if place else None
        raise ManifestError(Problem("bad-toml", message, file, line)) from None
    except (OSError, UnicodeDecodeError) as error:
        problem = Problem("unreadable-manifest", f"the file cannot be read: {error}", file)
        raise ManifestError(problem) from error
    return _Reader(file, text).manifest(document)


class _Reader:
    def __init__(self, file: Path, text: str) -> None:
        self.file = file
        self.text = text

    def manifest(self, document: dict[str, Any]) -> Manifest:
        tool = document.get("tool")
        table = tool.get("evidentsource") if isinstance(tool, dict) else None
        if table is None:
            hint = 'add [tool.evidentsource] with database = "...", or name a module to build'
            self.fail((), "no-manifest", "the project names no components", hint)
        settings = self.table(table, (), _TOP_KEYS)
        database = self.text_value(settings, (), "database")
        self.check_name(DatabaseName, database, ("database",))
        shared = self.names(settings, ())
        flags = {key: self.flag(settings, (), key, default=False) for key in _FLAGS}
        components = [
            self.component(kind, name, value, shared, flags)
            for kind in (_VIEWS, _CHANGES)
            for name, value in self.components(settings, kind).items()
        ]
        if not components:
            hint = f"add [tool.evidentsource.{_VIEWS}.NAME] with a module"
            self.fail((), "no-components", "the project names no components", hint)
        wit = self.optional_text(settings, (), "wit")
        return Manifest(self.file, database, tuple(components), wit or None)

    def components(self, settings: dict[str, Any], kind: str) -> dict[str, Any]:
        table = settings.get(kind, {})
        if not isinstance(table, dict):
            hint = f"write [tool.evidentsource.{kind}.NAME]"
            self.fail((kind,), "wrong-type", f"{kind} is a table of components", hint)
        return table

    def component(
        self, kind: str, name: str, value: Any, shared: tuple[str, ...], flags: dict[str, bool]
    ) -> ComponentSpec:
        path = (kind, name)
        is_view = kind == _VIEWS
        table = self.table(value, path, _VIEW_KEYS if is_view else _CHANGE_KEYS)
        self.check_name(StateViewName if is_view else StateChangeName, name, path)
        return ComponentSpec(
            name=name,
            world="state-view" if is_view else "state-change",
            module=self.text_value(table, path, "module"),
            line=line_of(self.text, (*_TABLE, *path)),
            definition=self.view(name, table, path) if is_view else self.change(name, table, path),
            pure=self.flag(table, path, "pure", default=flags["pure"]),
            contract_only=self.flag(table, path, "contract-only", default=flags["contract-only"]),
            dependencies=tuple(dict.fromkeys((*shared, *self.names(table, path)))),
            source_code_uri=self.optional_text(table, path, "source-code-uri"),
        )

    def change(
        self, name: str, table: dict[str, Any], path: tuple[str, ...]
    ) -> StateChangeDefinition:
        return StateChangeDefinition(
            name=StateChangeName(name),
            description=self.optional_text(table, path, "description"),
            source_code_uri=self.optional_text(table, path, "source-code-uri"),
        )

    def view(self, name: str, table: dict[str, Any], path: tuple[str, ...]) -> StateViewDefinition:
        content_type = self.optional_text(table, path, "content-type")
        return StateViewDefinition(
            name=StateViewName(name),
            selector=self.selector(table, path),
            temporality=self.temporality(table, path),
            content_type=content_type or "application/json",
            content_schema=self.optional_text(table, path, "schema"),
            description=self.optional_text(table, path, "description"),
        )

    def selector(self, table: dict[str, Any], path: tuple[str, ...]) -> SelectorTemplate:
        if "selector" not in table:
            hint = 'add selector = { stream = "..." }: which events the view is folded from'
            self.fail(path, "missing-key", f"{path[-1]} has no selector", hint)
        try:
            return read_selector(table["selector"])
        except (SelectorFormError, EvidentSourceError) as error:
            self.fail((*path, "selector"), "bad-selector", str(error), error.hint)

    def temporality(self, table: dict[str, Any], path: tuple[str, ...]) -> QueryTemporality:
        written = self.optional_text(table, path, "temporality") or "revision"
        if written not in _TEMPORALITIES:
            close = difflib.get_close_matches(written, _TEMPORALITIES, 1)
            hint = f"did you mean {close[0]}?" if close else "write revision or effective_timestamp"
            message = f"unknown temporality {written!r}"
            self.fail((*path, "temporality"), "unknown-temporality", message, hint)
        return _TEMPORALITIES[written]

    def table(self, value: Any, path: tuple[str, ...], keys: tuple[str, ...]) -> dict[str, Any]:
        if not isinstance(value, dict):
            label = ".".join((*_TABLE, *path))
            self.fail(path, "wrong-type", f"{label} is a table", f"write [{label}]")
        known: dict[str, Any] = {}
        for written, inner in value.items():
            key = written.replace("_", "-")
            if key not in keys:
                close = difflib.get_close_matches(key, keys, 1)
                hint = f"did you mean {close[0]}?" if close else f"known are {', '.join(keys)}"
                self.fail((*path, written), "unknown-key", f"unknown key {written!r}", hint)
            known[key] = inner
        return known

    def text_value(self, table: dict[str, Any], path: tuple[str, ...], key: str) -> str:
        value = self.optional_text(table, path, key)
        if value is None:
            message = f"{'.'.join((*_TABLE, *path))} has no {key}"
            self.fail(path, "missing-key", message, f'add {key} = "..."')
        return value

    def optional_text(self, table: dict[str, Any], path: tuple[str, ...], key: str) -> str | None:
        value = table.get(key)
        if value is not None and (not isinstance(value, str) or not value.strip()):
            self.fail((*path, key), "wrong-type", f"{key} is text", f'write {key} = "..."')
        return value

    def names(self, table: dict[str, Any], path: tuple[str, ...]) -> tuple[str, ...]:
        value = table.get("dependencies", [])
        if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
            hint = 'write dependencies = ["cattrs"]'
            where = (*path, "dependencies")
            self.fail(where, "wrong-type", "dependencies is a list of names", hint)
        return tuple(value)

    def flag(
        self, table: dict[str, Any], path: tuple[str, ...], key: str, *, default: bool
    ) -> bool:
        value = table.get(key, default)
        if not isinstance(value, bool):
            message = f"{key} is true or false"
            self.fail((*path, key), "wrong-type", message, f"write {key} = true")
        return value

    def check_name(
        self,
        kind: type[DatabaseName | StateViewName | StateChangeName],
        name: str,
        path: tuple[str, ...],
    ) -> None:
        try:
            kind(name)
        except EvidentSourceError as error:
            hint = error.hint or "a letter, then 1 to 127 letters, digits, '-', '_' or '.'"
            self.fail(path, "bad-name", str(error), hint)

    def fail(self, path: tuple[str, ...], code: str, message: str, hint: str | None) -> NoReturn:
        line = line_of(self.text, (*_TABLE, *path))
        raise ManifestError(Problem(code, message, self.file, line, hint))
