"""Tests of rules beyond this process: in the sandbox, as components, and all of them compared.

>>> from evidentsource_runtime.testing import level_names
>>> level_names()
['native', 'sandbox', 'component', 'server', 'all']

pytest finds the plugin by itself (``pytest --es-level=sandbox``). Elsewhere, say with unittest,
:func:`use_level` does the same:

    with use_level("sandbox"):
        given(...).when(...).then(...)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from evidentsource_runtime.testing.components import Components, session_components
    from evidentsource_runtime.testing.levels import level_names, server_url, use_level
    from evidentsource_runtime.testing.projects import project_database, project_scenarios

__all__ = [
    "Components",
    "level_names",
    "project_database",
    "project_scenarios",
    "server_url",
    "session_components",
    "use_level",
]

_ROOMS = {
    "Components": "components",
    "session_components": "components",
    "level_names": "levels",
    "server_url": "levels",
    "use_level": "levels",
    "project_database": "projects",
    "project_scenarios": "projects",
}


def __getattr__(name: str) -> Any:
    # pytest imports this package in every project it is installed beside, to find the plugin in it;
    # whoever does not use the kit should not notice.
    if name not in _ROOMS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415 - see above

    return getattr(import_module(f"{__name__}.{_ROOMS[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
