"""Publishing in a database, and what its views have come to."""

from __future__ import annotations

import os
from typing import Any

from evidentsource_core.domain.definitions import StateChangeDefinition, StateViewDefinition
from evidentsource_core.domain.errors import StateChangeNotFound, StateViewNotFound
from evidentsource_core.domain.identifiers import StateChangeName, StateViewName
from evidentsource_runtime.database import projects
from evidentsource_runtime.database.catalog import Catalog, PublishedChange, PublishedView
from evidentsource_runtime.database.kept import KeptStates
from evidentsource_runtime.database.programs import Origin
from evidentsource_runtime.database.rebuilding import Rebuild, RebuildReport, Told
from evidentsource_runtime.database.worker import EagerWorker
from evidentsource_runtime.store import SqliteStore

__all__ = ["Publishing"]


class Publishing:
    """The part of a database that has to do with what is published in it.

    Args:
        store: the file.
        catalog: what is published.
        kept: what views have come to.
        worker: folds views ahead.
    """

    def __init__(
        self, store: SqliteStore, catalog: Catalog, kept: KeptStates, worker: EagerWorker
    ) -> None:
        self._store = store
        self._catalog = catalog
        self._kept = kept
        self._worker = worker
        for view in catalog.views.all():
            worker.add(view)

    # --- publishing ----------------------------------------------------------------------------

    def publish_state_view(
        self, definition: StateViewDefinition, code: Any, *, if_changed: bool = False
    ) -> StateViewDefinition:
        """Publish a state view; the definition as it stands, with its version.

        It can be read at every revision, also at those before it was published.

        Args:
            definition: what it is; its version is ignored and assigned, the first is 1.
            code: the path or the bytes of a component, which go into the file; or code that does
                not: a class derived from ``StateViewBase`` or the ``WitWorld`` that has one, a
                function ``evolve(state, events)``, a loaded component.
            if_changed: whether nothing is published where the latest version has this definition
                and this code already; code that is not in the file is attached to it.

        Raises:
            UnusableCode: ``code`` is no state view.
            ComponentLoadError: the component cannot be run here; nothing was published.
        """
        view = self._catalog.views.publish(definition, code, if_changed=if_changed)
        self._worker.add(view)
        return view.definition

    def publish_state_change(
        self, definition: StateChangeDefinition, code: Any, *, if_changed: bool = False
    ) -> StateChangeDefinition:
        """Publish a state change; the definition as it stands, with its version.

        Args:
            definition: what it is; its version is ignored and assigned, the first is 1.
            code: the path or the bytes of a component, which go into the file; or code that does
                not: a ``WitWorld`` class, a rule ``decide(database, command, metadata)``, a loaded
                component.
            if_changed: as in :meth:`publish_state_view`.

        Raises:
            UnusableCode: ``code`` is no state change.
            ComponentLoadError: the component cannot be run here; nothing was published.
        """
        return self._catalog.changes.publish(definition, code, if_changed=if_changed).definition

    def publish_project(
        self, path: str | os.PathLike[str] = ".", *, source: bool = False, if_changed: bool = True
    ) -> list[StateViewDefinition | StateChangeDefinition]:
        """Publish everything that a project's manifest names, state views first.

        Args:
            path: the project's folder, or its ``pyproject.toml``.
            source: whether its modules are run from source, which takes no build and leaves the
                code where it is, instead of as ``evidentsource build`` has made them.
            if_changed: whether what has not changed keeps its version.

        Raises:
            ManifestError: the manifest is missing or wrong, or a component was not built.
            BuildError: a program from source cannot be imported.
            ComponentLoadError: a component cannot be run here.
        """
        found = list(projects.components(path, self._catalog.host, source=source))
        published: list[StateViewDefinition | StateChangeDefinition] = []
        for spec, code in found:
            if isinstance(spec.definition, StateViewDefinition):
                view = self.publish_state_view(spec.definition, code, if_changed=if_changed)
                published.append(view)
            else:
                change = self.publish_state_change(spec.definition, code, if_changed=if_changed)
                published.append(change)
        return published

    def attach_state_view(self, name: str | StateViewName, version: int, code: Any) -> None:
        """Bring the code of a published view that is not in the file, after it was opened.

        What another code has folded is dropped, where it shows that it is another.
        """
        self._catalog.views.attach(self._view(str(name), version), code)

    def attach_state_change(self, name: str | StateChangeName, version: int, code: Any) -> None:
        """Bring the code of a published change that is not in the file, after it was opened."""
        self._catalog.changes.attach(self._change(str(name), version), code)

    def state_view(self, name: str | StateViewName, version: int) -> StateViewDefinition | None:
        """The definition of that version of a view, if it was published."""
        found = self._catalog.views.find(str(name), version)
        return None if found is None else found.definition

    def state_views(self) -> list[PublishedView]:
        """Every published version of every state view, with where its code comes from."""
        return self._catalog.views.all()

    def state_changes(self) -> list[PublishedChange]:
        """Every published version of every state change, with where its code comes from."""
        return self._catalog.changes.all()

    def settle_state_view(self, name: str | StateViewName, content: bytes) -> StateViewDefinition:
        """Put a component into the file as the code of a view's latest version, which was not in it.

        Raises:
            StateViewNotFound: the view was never published.
            UnusableCode: the latest version's code is in the file, or ``content`` is no state view.
            ComponentLoadError: the component cannot be run here.
        """
        found = self._catalog.views.find(str(name), None)
        if found is None:
            raise StateViewNotFound(str(name), 0)
        return self._catalog.views.settle(found, content).definition

    def settle_state_change(
        self, name: str | StateChangeName, content: bytes
    ) -> StateChangeDefinition:
        """Put a component into the file as the code of a change's latest version; as for a view."""
        found = self._change(str(name), None)
        return self._catalog.changes.settle(found, content).definition

    def code_of_state_view(self, name: str | StateViewName, version: int | None) -> Origin | None:
        """Which code a version of a view is run by now, the latest for None; None for no view."""
        return self._catalog.views.code(str(name), version)

    def code_of_state_change(
        self, name: str | StateChangeName, version: int | None
    ) -> Origin | None:
        """Which code a version of a change is run by now, the latest for None; None for no change."""
        return self._catalog.changes.code(str(name), version)

    # --- what views have come to ---------------------------------------------------------------

    def rebuild_state_view(
        self,
        name: str | StateViewName,
        version: int,
        *,
        afresh: bool = True,
        progress: Told | None = None,
    ) -> RebuildReport:
        """Fold every binding of a view that the database has events for, many in one call.

        Interrupted, by an exception out of ``progress`` for one, it keeps what it has folded; called
        again it goes on there.

        Args:
            name: the view.
            version: its version.
            afresh: whether what is kept is dropped first; otherwise it goes on from it.
            progress: told after each few hundred bindings.

        Returns:
            How much was folded, and the error of each binding that failed; the others are folded.

        Raises:
            StateViewNotFound: it was never published.
        """
        view = self._view(str(name), version)
        program = self._catalog.views.program(view)
        head = self._store.head()
        rebuild = Rebuild(self._store, program, view, self._kept, head, progress)
        return rebuild.run(afresh=afresh)

    def drop_snapshots(
        self, name: str | StateViewName | None = None, version: int | None = None
    ) -> None:
        """Drop what is kept of views, of one version, of one name or of all: it is folded anew."""
        if name is None:
            self._kept.drop()
            return
        views = [view for view in self.state_views() if str(view.definition.name) == str(name)]
        wanted = [view.id for view in views if version in {None, view.definition.version}]
        self._kept.drop(wanted)

    def keep_snapshots(self) -> None:
        """Write into the file what views have come to; otherwise it happens by and by."""
        self._kept.flush()

    def wait_eager(self, revision: int, timeout: float | None = None) -> bool:
        """Wait until the eager views are folded up to a revision; whether they are in time."""
        return self._worker.wait(revision, timeout)

    def _view(self, name: str, version: int) -> PublishedView:
        view = self._catalog.views.find(name, version)
        if view is None:
            raise StateViewNotFound(name, version)
        return view

    def _change(self, name: str, version: int | None) -> PublishedChange:
        change = self._catalog.changes.find(name, version)
        if change is None:
            raise StateChangeNotFound(name, version or 0)
        return change
