"""From a file or bytes to a compiled component: what it is, and what it was built from."""

from __future__ import annotations

import hashlib
import logging
import os
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from wasmtime import Engine, WasmtimeError
from wasmtime.component import Component

from evidentsource_runtime.artifact import FACTS_SECTION, BuildFacts, NotAComponent
from evidentsource_runtime.artifact.binary import CUSTOM, Reader, check_preamble, sections
from evidentsource_runtime.host.cache import CompiledCache
from evidentsource_runtime.host.convert.shapes import Contract, read_contract
from evidentsource_runtime.host.engine import fingerprint
from evidentsource_runtime.host.engines import Engines
from evidentsource_runtime.host.errors import ComponentLoadError
from evidentsource_runtime.host.patched import patched

Source: TypeAlias = str | os.PathLike[str] | bytes | bytearray | memoryview
"""Where a component comes from: a path, or its bytes."""

_log = logging.getLogger("evidentsource.host")

_CONTRACTS: dict[str, Contract] = {}
_CONTRACTS_CHANGE = threading.Lock()
_MOST_CONTRACTS = 64

_TICK = 0.25
"""Seconds between two reports of progress."""


@dataclass(frozen=True, slots=True)
class CompileProgress:
    """How far the compilation of a component is. It takes seconds, once for each component.

    Attributes:
        component: the component's name.
        seconds: how long it has been going on.
        done: whether it has ended.
        step: what is being done: ``compiling``; or ``building``, where a program is loaded from its
            source and its base component is not there yet.
    """

    component: str
    seconds: float
    done: bool
    step: str = "compiling"


Progress: TypeAlias = Callable[[CompileProgress], None]


@dataclass(frozen=True)
class Compiled:
    """A component in its compiled form.

    Attributes:
        component: for the engine that it was loaded with.
        contract: its own form of the contract.
        again: gives it for another engine; raises ``WasmtimeError`` where that one does not take it.
    """

    component: Component
    contract: Contract
    again: Callable[[Engine], Component]


@dataclass(frozen=True)
class Loaded:
    """A compiled component and what is known of it.

    Attributes:
        name: what it is called in messages and logs.
        digest: SHA-256 of its bytes, in hexadecimal.
        compiled: its compiled form.
        facts: what its build says of itself, if it says so readably.
        path: the file it came from, if any.
    """

    name: str
    digest: str
    compiled: Compiled
    facts: BuildFacts | None
    path: Path | None

    @property
    def contract(self) -> Contract:
        """Its own form of the contract."""
        return self.compiled.contract


def load(
    source: Source,
    name: str | None,
    engine: Engine,
    cache: CompiledCache | None,
    progress: Progress | None,
) -> Loaded:
    """Read, compile (or find compiled) and look into a component.

    Raises:
        ComponentLoadError: it cannot be read, is no component, or none of the two worlds'.
    """
    path = None if isinstance(source, (bytes, bytearray, memoryview)) else Path(source)
    data = _read(path) if path else bytes(source)  # type: ignore[arg-type]  # bytes where there is no path
    digest = hashlib.sha256(data).hexdigest()
    name = name or (_name_of(path) if path else f"component-{digest[:8]}")
    try:
        check_preamble(data, path)
    except NotAComponent as error:
        problem = error.problems[0]
        raise ComponentLoadError(name, problem.message, hint=problem.hint) from None
    compiled = compile_once(name, digest, lambda: data, engine, cache, progress)
    return Loaded(name, digest, compiled, _facts(data), path)


def compile_once(
    name: str,
    digest: str,
    read: Callable[[], bytes],
    engine: Engine,
    cache: CompiledCache | None,
    progress: Progress | None,
) -> Compiled:
    """Take a component from the cache, or compile and keep it.

    Args:
        name: what it is called in messages.
        digest: SHA-256 of its bytes, in hexadecimal.
        read: gives its bytes, where they are needed.
        engine: what it is compiled for.
        cache: where compiled components are kept, if anywhere.
        progress: told while it is compiled.

    Raises:
        ComponentLoadError: it is no valid component, or none of the two worlds'.
    """
    key = _key(digest)
    component = cache.load(engine, key) if cache else None
    if component is None:
        component = _compile_and_keep(name, digest, read(), engine, cache, progress)

    def again(another: Engine) -> Component:
        kept = cache.load(another, key) if cache else None
        return kept or Component.deserialize(another, component.serialize())

    return Compiled(component, _contract(name, digest, component, engine), again)


def _compile_and_keep(
    name: str,
    digest: str,
    data: bytes,
    engine: Engine,
    cache: CompiledCache | None,
    progress: Progress | None,
) -> Component:
    def compile_base(base_digest: str, base: bytes) -> object:
        return compile_once(f"base of {name}", base_digest, lambda: base, engine, cache, progress)

    key = _key(digest)
    if cache:
        component = patched(data, _key, key, engine, cache, compile_base)
        if component is not None:
            return component
    component = _compile(name, data, engine, progress)
    if cache:
        # What is no component of the contract is not worth keeping.
        _contract(name, digest, component, engine)
        cache.store(key, component)
    return component


def _contract(name: str, digest: str, component: Component, engine: Engine) -> Contract:
    """The component's contract, read once for each digest: it takes a fifth of a first answer."""
    known = _CONTRACTS.get(digest)
    if known is None:
        known = read_contract(name, component, engine)
        with _CONTRACTS_CHANGE:
            while len(_CONTRACTS) >= _MOST_CONTRACTS:
                del _CONTRACTS[next(iter(_CONTRACTS))]
            _CONTRACTS[digest] = known
    return known


def _key(digest: str) -> str:
    """What the compiled form of a component is kept under."""
    return hashlib.sha256(f"{digest}|{fingerprint()}".encode()).hexdigest()


class Bases:
    """The base components of one host: each is looked for once, and then at hand.

    Args:
        engines: what they are compiled for.
        cache: where compiled components are kept, if anywhere.
        progress: told while one is built or compiled.
    """

    def __init__(
        self, engines: Engines, cache: CompiledCache | None, progress: Progress | None
    ) -> None:
        self.engines = engines
        self._cache = cache
        self._progress = progress
        self._known: dict[str, Compiled] = {}
        self._lock = threading.Lock()

    def get(
        self,
        name: str,
        key: str,
        find: Callable[[Callable[[float], None]], tuple[str, Callable[[], bytes]]],
    ) -> Compiled:
        """The base component of that key, compiled.

        Args:
            name: what it is called in messages.
            key: what it is known by.
            find: gives its digest and how to read it; it may take long, and tells the seconds.

        Raises:
            ComponentLoadError: it cannot be compiled.
        """
        with self._lock:
            if key not in self._known:
                digest, read = find(lambda seconds: self._tell(name, seconds))
                self._known[key] = compile_once(
                    name, digest, read, self.engines.alone, self._cache, self._progress
                )
            return self._known[key]

    def _tell(self, name: str, seconds: float) -> None:
        if self._progress is not None:
            self._progress(CompileProgress(name, seconds, done=False, step="building"))


def _name_of(path: Path) -> str:
    return re.sub(r"[^\w.-]+", "_", path.stem) or "component"


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        reason = f"{path} cannot be read: {error.strerror or error}"
        raise ComponentLoadError(_name_of(path), reason) from error


def _facts(component: bytes) -> BuildFacts | None:
    """The facts of the build. They serve messages only, so unreadable ones are no reason to stop."""
    try:
        for section in sections(component):
            if section.id == CUSTOM:
                reader = Reader(component, None, section.start, section.end)
                if reader.string() == FACTS_SECTION:
                    return BuildFacts.from_json(component[reader.at : section.end].decode())
    except (NotAComponent, ValueError, RecursionError) as error:
        _log.warning("the facts of the build cannot be read: %s", error)
    return None


def _compile(name: str, data: bytes, engine: Engine, progress: Progress | None) -> Component:
    """Compile on another thread, so that meanwhile progress is told and Ctrl-C works."""
    outcome: list[Component | WasmtimeError] = []

    def work() -> None:
        try:
            outcome.append(Component(engine, data))
        except WasmtimeError as error:
            outcome.append(error)

    started = time.monotonic()

    def tell(*, done: bool) -> None:
        if progress is not None:
            progress(CompileProgress(name, time.monotonic() - started, done))

    thread = threading.Thread(target=work, name="evidentsource-compile", daemon=True)
    tell(done=False)
    thread.start()
    while thread.is_alive():
        thread.join(_TICK)
        if thread.is_alive():
            tell(done=False)
    tell(done=True)
    # Taken out: an error that its own frames lead to would keep the whole file until garbage is looked for.
    found = outcome.pop()
    if isinstance(found, WasmtimeError):
        reason = str(found).strip()
        raise ComponentLoadError(name, f"it is no valid component: {reason}") from found
    return found
