"""Instances of a component, and what becomes of a call that fails in one."""

from __future__ import annotations

import logging
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from types import TracebackType
from typing import NoReturn, Self, TypeAlias, TypeVar

from wasmtime import Engine, ExitTrap, Store, WasmtimeError
from wasmtime.component import Component, Func
from wasmtime.component import Instance as ComponentInstance

from evidentsource_runtime.host.ahead import AHEAD
from evidentsource_runtime.host.calls import Call, depth, running
from evidentsource_runtime.host.convert.codec import Codec
from evidentsource_runtime.host.deterministic import Deterministic
from evidentsource_runtime.host.engines import Engines
from evidentsource_runtime.host.errors import (
    ComponentError,
    ComponentExit,
    ComponentLimitError,
    ComponentTrap,
    HostCallError,
)
from evidentsource_runtime.host.limits import NESTED_CALLS, Limits, exceeded_limit
from evidentsource_runtime.host.loading import Loaded
from evidentsource_runtime.host.mould import Mould
from evidentsource_runtime.host.output import Output
from evidentsource_runtime.host.signals import Deferral
from evidentsource_runtime.host.ticker import TICKER
from evidentsource_runtime.host.trace import SourceMap, clean, headline

_log = logging.getLogger("evidentsource.host")

T = TypeVar("T")

Prepare: TypeAlias = Callable[[Store, ComponentInstance], None]
"""What a new instance needs before its first call."""

_CAUSE = "Caused by:"
_TOO_MUCH = "too much data is being copied between the host and the guest"
_WASMTIME_LIMIT = 128 * 1024 * 1024
"""Bytes of wasmtime's own bookkeeping that the values of one call may take."""


class Template:
    """What every instance of one component is made from."""

    def __init__(
        self,
        loaded: Loaded,
        engines: Engines,
        codec: Codec,
        sources: SourceMap,
        output_cap: int,
        limits: Limits,
        deterministic: Deterministic | None = None,
        prepare: Prepare | None = None,
        ahead: int = 0,
    ) -> None:
        self.name = loaded.name
        self.logger = logging.getLogger(f"evidentsource.component.{loaded.name}")
        self.engines = engines
        self.codec = codec
        self.sources = sources
        self.output_cap = output_cap
        self.limits = limits
        self.deterministic = deterministic
        self._compiled = loaded.compiled
        self.export = loaded.contract.export
        self._prepare = prepare
        self._ahead: list[Instance] = []
        self._most_ahead = ahead
        self._alone = self._mould(engines.alone, loaded.compiled.component)
        self._pooled: Mould | None = None
        self._no_pool = False
        self._lock = threading.Lock()

    def _mould(self, engine: Engine, component: Component) -> Mould:
        simulated = self.deterministic is not None
        return Mould(engine, component, self.codec, simulated=simulated)

    def prepare(self, store: Store, instance: ComponentInstance) -> None:
        """Do what a new instance needs before its first call."""
        if self._prepare is not None:
            self._prepare(store, instance)

    def first(self) -> Instance:
        """An instance for the engine in which the component was loaded."""
        return Instance(self, self._alone)

    def instance(self) -> Instance:
        """An instance that has not been called: the one kept ahead, or a new one."""
        with suppress(IndexError):
            return self._ahead.pop()
        mould = self._from_pool()
        return self.first() if mould is None else Instance(self, mould, self.engines.give_back)

    def _from_pool(self) -> Mould | None:
        """The mould for calls side by side, with a slot taken; None where this one runs alone."""
        if self._no_pool or not self.engines.take(depth()):
            return None
        try:
            mould = self._pooled_mould()
        except BaseException:
            self.engines.give_back()
            raise
        if mould is None:
            self.engines.give_back()
        return mould

    def _pooled_mould(self) -> Mould | None:
        with self._lock:
            if self._pooled is None and not self._no_pool:
                engine = self.engines.pool()
                try:
                    if engine is not None:
                        self._pooled = self._mould(engine, self._compiled.again(engine))
                except WasmtimeError as error:
                    _log.debug("%s does not fit into the pool: %s", self.name, error)
                self._no_pool = self._pooled is None
            return self._pooled

    def keep_ahead(self, instance: Instance) -> None:
        """Keep an instance that has not been called, for the first call."""
        self._ahead.append(instance)

    @contextmanager
    def used_once(self) -> Iterator[Instance]:
        """An instance for one call, which is ended after it; where wanted, the next one is made then."""
        instance = self.instance()
        try:
            yield instance
        finally:
            follow = partial(_succeed, weakref.ref(self), instance)
            if not self._most_ahead or not AHEAD.takes(follow):
                instance.close()

    def make_ahead(self) -> None:
        """Make the instance that the next call uses, if there is none yet."""
        if len(self._ahead) < self._most_ahead:
            self.keep_ahead(self.first())

    def log_failure(self, words: str) -> None:
        """Log what a component wrote to stderr, or would have."""
        for line in self.sources.translate(clean(words)).splitlines():
            self.logger.warning("%s", line)

    def trap(self, trap: str, words: str) -> ComponentTrap:
        """The error for a trap, from what the component left in words."""
        traceback = self.sources.translate(clean(words))
        reason = headline(traceback) or f"{trap}; it left no Python traceback"
        return ComponentTrap(
            self.name, reason, trap=trap, guest_traceback=traceback, silent=not traceback
        )


def _succeed(template: weakref.ref[Template], used: Instance) -> None:
    """Make the instance after ``used``, and end that one; not for a component that nobody has any more."""
    try:
        found = template()
        if found is not None:
            found.make_ahead()
    finally:
        used.close()


class Instance:
    """One instance. It is closed after its last call, and never used again after a failed one.

    Attributes:
        said: what its last call wrote to stderr.
    """

    def __init__(
        self, template: Template, mould: Mould, give_back: Callable[[], None] | None = None
    ) -> None:
        self._template = template
        self._give_back = give_back
        self._funcs: dict[str, Func] = {}
        self.said = ""
        given = template.deterministic
        self._simulation = None if given is None else given.simulation()
        try:
            with Deferral():
                self._output = Output(template.output_cap)
                self._store = Store(mould.engine)
                template.limits.apply(self._store)
                self._store.set_wasi(self._output.wasi())
            self._exports = self._run(self._call(), lambda: self._start(mould))
        except BaseException:
            self.close()
            raise

    def _start(self, mould: Mould) -> ComponentInstance:
        instance = mould.make(self._store)
        self._template.prepare(self._store, instance)
        return instance

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def call(self, use: Callable[[Codec, Store, Func], T], export: str | None = None) -> T:
        """Run one call.

        Args:
            use: makes the call.
            export: the function that is called, its world's by default.

        Raises:
            ComponentError: it failed, in the component or in what the component used.
        """
        engines = self._template.engines

        def work() -> T:
            func = self._func(export or self._template.export)
            engines.enter()
            try:
                return use(self._template.codec, self._store, func)
            finally:
                engines.leave()

        return self._run(self._call(), work)

    def _func(self, name: str) -> Func:
        if name not in self._funcs:
            found = self._exports.get_func(self._store, name)
            if found is None:
                raise WasmtimeError(f"no function {name}")
            self._funcs[name] = found
        return self._funcs[name]

    def close(self) -> None:
        """Give everything back that the instance holds."""
        with Deferral():
            # The output first: a pipe that ends wakes the thread that empties it.
            for part in ("_output", "_store"):
                if part in self.__dict__:
                    getattr(self, part).close()
            give_back, self._give_back = self._give_back, None
            if give_back is not None:
                give_back()

    def _call(self) -> Call:
        return Call(self._simulation)

    def _run(self, call: Call, work: Callable[[], T]) -> T:
        if depth() >= NESTED_CALLS:
            reached = depth() + 1
            raise ComponentLimitError(
                self._template.name, "nested calls", NESTED_CALLS, reached, "calls"
            )
        seconds = self._template.limits.time_seconds
        started = time.monotonic()
        try:
            with running(call), TICKER.limiting(call, self._store, seconds):
                answer = work()
        except WasmtimeError as error:
            self._fail(call, error, time.monotonic() - started)
        self.said = self._log_output()
        return answer

    def _log_output(self) -> str:
        """Log what was printed; what went to stderr."""
        stdout, stderr = self._output.take()
        for line in stdout.splitlines():
            self._template.logger.info("%s", line)
        self._template.log_failure(stderr)
        return stderr

    def _fail(self, call: Call, error: WasmtimeError, seconds: float) -> NoReturn:
        stderr = self._log_output()
        failure = call.failure
        if failure is None:
            raise self._diagnosed(error, stderr, seconds) from None
        ours = isinstance(failure, ComponentError) or not call.operation
        if ours or not isinstance(failure, Exception):
            raise failure
        raise HostCallError(self._template.name, call.operation, failure) from failure

    def _diagnosed(self, error: WasmtimeError, stderr: str, seconds: float) -> ComponentError:
        """What ended the call, in our own words.

        wasmtime's account names the frames of the Python interpreter, which help nobody as soon as
        there is a traceback from Python.
        """
        template = self._template
        message = str(error)
        template.logger.debug("%s", message)
        if isinstance(error, ExitTrap):
            words = template.sources.translate(clean(stderr))
            return ComponentExit(template.name, error.code, guest_traceback=words)
        if _TOO_MUCH in message:
            return ComponentLimitError(
                template.name, "the values of one call", _WASMTIME_LIMIT, None
            )
        trap = message.rpartition(_CAUSE)[2].strip() or message
        words = template.sources.translate(clean(stderr))
        exceeded = exceeded_limit(template.name, template.limits, trap, words, seconds)
        return exceeded or template.trap(trap, stderr)
