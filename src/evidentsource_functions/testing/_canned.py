"""Views whose content a test simply states."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeAlias, TypeVar

from evidentsource_core import (
    DatabaseName,
    EventTypeAttribute,
    InvalidType,
    InvalidValue,
    StateView,
    StateViewName,
    StreamAttribute,
    SubjectAttribute,
)
from evidentsource_core.domain.definitions import ViewParameters, view_parameters
from evidentsource_core.domain.revision import check_revision
from evidentsource_core.jsontext import dumps
from evidentsource_core.reference import DatabaseSnapshot
from evidentsource_functions.structure import unstructure

T = TypeVar("T")

_Key: TypeAlias = tuple[str, int, frozenset[tuple[str, str | None]]]


@dataclass
class StateViewResult(Generic[T]):
    """A view's data with the revision that last modified it, for code that makes its own.

    ``view_state`` gives a :class:`~evidentsource_core.StateView`, which has all of these too.

    >>> StateViewResult({"balance": 5}, 3).content
    b'{"balance": 5}'
    """

    data: T
    revision: int

    @property
    def content(self) -> bytes:
        """The data as JSON."""
        return dumps(unstructure(self.data))

    def json(self) -> T:
        """The data."""
        return self.data


@dataclass(frozen=True, slots=True)
class CannedViews:
    """Contents by view and parameters; each change gives a new set."""

    views: Mapping[_Key, StateView] = field(default_factory=dict)

    def with_view(self, view: StateView, parameters: ViewParameters | None) -> CannedViews:
        """With one more, or another in place of the one of the same key."""
        key = _key(str(view.name), view.version, parameters)
        return CannedViews({**self.views, key: view})

    def find(self, name: str, version: int, parameters: ViewParameters | None) -> StateView | None:
        """The view of exactly these parameters."""
        return self.views.get(_key(name, version, parameters))

    def until(self, revision: int) -> CannedViews:
        """Those that were last modified at that revision or before."""
        return CannedViews(
            {
                key: view
                for key, view in self.views.items()
                if (view.last_modified_revision or 0) <= revision
            }
        )


def canned_view(
    database: DatabaseSnapshot, name: str, version: int, data: Any, revision: int
) -> StateView:
    """A view of that content, last modified at ``revision``."""
    if isinstance(version, bool) or not isinstance(version, int):
        raise InvalidType("version", "int", version)
    if version < 1:
        raise InvalidValue("version", f"{version} is less than 1")
    return StateView(
        database=DatabaseName(database.name),
        name=StateViewName(name),
        version=version,
        last_modified_revision=check_revision(revision),
        last_modified_timestamp=database.revision_timestamp,
        content=data if isinstance(data, bytes) else dumps(unstructure(data)),
    )


def _key(name: str, version: int, parameters: ViewParameters | None) -> _Key:
    return (str(name), version, frozenset((k, _text(v)) for k, v in view_parameters(parameters)))


def _text(value: Any) -> str | None:
    """A parameter's value as it is compared: a stream, a subject or a type of one name is one."""
    if isinstance(value, StreamAttribute):
        return str(value.stream)
    if isinstance(value, EventTypeAttribute):
        return str(value.event_type)
    if isinstance(value, SubjectAttribute):
        value = value.subject
    return None if value is None else str(value)
