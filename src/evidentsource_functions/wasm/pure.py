"""The guard of a pure component: reading the clock, randomness or files is an error with words.

A pure component has no clock, no randomness and no files: the host's functions are replaced by ones
that trap, and a trap inside the interpreter says nothing about the line that caused it.
:func:`install` therefore puts functions that raise :class:`ImpureCall` in the place of those that
would trap, wherever a loaded module, class or default holds them. It runs once, at the end of the
build, and what it did is frozen into the component.

Modules may read files and the clock while they are imported: that happens at build time, and its
result stays in the component.
"""

from __future__ import annotations

import gc
import io
import linecache
import random
import sys
import traceback as _traceback  # noqa: F401 - must be loaded: it prints what the guard says
from collections.abc import Callable, Iterable, Iterator
from importlib.machinery import PathFinder
from types import CellType, FrameType, FunctionType
from typing import Any, NoReturn

from evidentsource_core.domain.errors import EvidentSourceError
from evidentsource_functions.wasm import _lane

CLOCK = (
    "use metadata.command_received_at in a state change, and the event's own time in a state view"
)
RANDOM = (
    "derive ids and choices from the command, say uuid.uuid5(NAMESPACE, key) or "
    "random.Random(seed) with a seed from the command"
)
FILES = (
    "read it at the top of the module: what is read while the component is built stays in it; "
    "anything else belongs into an event"
)

IMPURE: dict[str, dict[str, str]] = {
    CLOCK: {
        "time": "time time_ns monotonic monotonic_ns perf_counter perf_counter_ns process_time "
        "process_time_ns thread_time thread_time_ns clock_gettime clock_gettime_ns clock_getres "
        "sleep",
    },
    RANDOM: {
        "uuid": "uuid1 uuid4 uuid6 uuid7 getnode",
        "random": "betavariate binomialvariate choice choices expovariate gammavariate gauss "
        "getrandbits lognormvariate normalvariate paretovariate randbytes randint random randrange "
        "sample seed shuffle triangular uniform vonmisesvariate weibullvariate",
        "secrets": "choice randbelow randbits token_bytes token_hex token_urlsafe",
        "os": "urandom getrandom",
    },
    FILES: {
        "io": "open open_code",
        "os": "access chdir chmod close fstat ftruncate isatty link listdir lseek lstat mkdir open "
        "pread pwrite read readlink remove rename replace rmdir scandir stat statvfs symlink "
        "system truncate unlink utime write",
        "time": "tzset",
        "builtins": "input",
    },
}
"""What to use instead, to the functions that it stands for, by module."""

OPTIONAL_TIME = {"localtime": 0, "gmtime": 0, "ctime": 0, "asctime": 0, "strftime": 1}
"""Functions of `time` that read the clock only where an argument, at this position, is left out."""

CLASS_CLOCKS = (("datetime", "now"), ("datetime", "utcnow"), ("date", "today"))
"""Class methods of the module `datetime` that read the clock."""


_TRACEBACK_READERS: tuple[tuple[str, object], ...] = (
    ("linecache.updatecache", []),
    ("linecache.lazycache", False),
    # Carets are found by parsing a piece of a line. Where that is no statement of its own, the
    # interpreter's parser opens the file, beneath anything that could be replaced here.
    ("traceback._extract_caret_anchors_from_line_segment", None),
    ("traceback.StackSummary._should_show_carets", False),
)
"""What the printing of a traceback reads files with, and what it finds instead."""


class ImpureCall(EvidentSourceError, RuntimeError):
    """The clock, randomness or a file was asked for in a component that was built pure.

    Args:
        function: what was called, such as "time.time".
        where: file, line and function of the call.
        instead: what to use instead.

    >>> str(ImpureCall("time.time", "view.py:7 in evolve_event", "use the event's own time"))
    "time.time() in a pure component, at view.py:7 in evolve_event: use the event's own time"
    """

    code = "impure-call"

    def __init__(self, function: str, where: str, instead: str) -> None:
        super().__init__(f"{function}() in a pure component, at {where}: {instead}")
        self.function = function
        self.where = where
        self.hint = instead


def install(user_prefix: str) -> None:
    """Make every impure function raise :class:`ImpureCall` from here on. There is no way back.

    Args:
        user_prefix: what the paths of the user's files begin with; the message names the first
            line of those.
    """
    _keep_sources(user_prefix)
    _close_streams()
    replacements = dict(_replacements(user_prefix))
    _replace_everywhere(replacements)
    _seedless_generators_refuse(user_prefix)
    _class_clocks_refuse(user_prefix)
    _missing_modules_refuse()
    _lane.tell_everything_in_answers()


def _replacements(prefix: str) -> Iterator[tuple[int, tuple[Any, Any]]]:
    for instead, modules in IMPURE.items():
        for module, names in modules.items():
            for name in names.split():
                original = getattr(sys.modules.get(module), name, None)
                if original is not None:
                    label = name if module in {"io", "builtins"} else f"{module}.{name}"
                    yield id(original), (original, _refusal(label, instead, prefix))
    time = sys.modules["time"]
    for name, position in OPTIONAL_TIME.items():
        original = getattr(time, name)
        yield id(original), (original, _timed(original, f"time.{name}", position, prefix))


def _refusal(label: str, instead: str, prefix: str) -> Callable[..., NoReturn]:
    def refuse(*_args: object, **_kwargs: object) -> NoReturn:
        raise ImpureCall(label, _caller(prefix), instead)

    refuse.__name__ = refuse.__qualname__ = label.rpartition(".")[2]
    return refuse


def _timed(original: Any, label: str, position: int, prefix: str) -> Callable[..., Any]:
    def with_time(*args: Any) -> Any:
        if len(args) <= position or args[position] is None:
            raise ImpureCall(label, _caller(prefix), CLOCK)
        return original(*args)

    return with_time


def _caller(prefix: str) -> str:
    frame: FrameType | None = sys._getframe(2)  # noqa: SLF001 - the one way to a caller's line
    nearest = frame
    while frame is not None and not frame.f_code.co_filename.startswith(prefix):
        frame = frame.f_back
    frame = frame or nearest
    if frame is None:
        return "an unknown place"
    return f"{frame.f_code.co_filename}:{frame.f_lineno} in {frame.f_code.co_name}"


def _replace_everywhere(replacements: dict[int, tuple[Any, Any]]) -> None:
    # `from time import time` and `default_factory=uuid4` keep the function itself, so each holder
    # is changed; the collector knows them all.
    originals = [original for original, _ in replacements.values()]
    for holder in gc.get_referrers(*originals):
        if holder is originals:
            continue
        if isinstance(holder, dict):
            for key, value in list(holder.items()):
                if id(value) in replacements:
                    holder[key] = replacements[id(value)][1]
        elif isinstance(holder, CellType) and id(holder.cell_contents) in replacements:
            if not _is_own(holder):
                holder.cell_contents = replacements[id(holder.cell_contents)][1]
        elif isinstance(holder, tuple):
            _replace_defaults(holder, replacements)
    _forget_type_lookups()


def _is_own(cell: CellType) -> bool:
    return any(
        isinstance(owner, FunctionType) and owner.__module__ == __name__
        for cells in gc.get_referrers(cell)
        if isinstance(cells, tuple)
        for owner in gc.get_referrers(cells)
    )


def _replace_defaults(defaults: tuple[Any, ...], replacements: dict[int, tuple[Any, Any]]) -> None:
    for function in gc.get_referrers(defaults):
        if isinstance(function, FunctionType) and function.__defaults__ is defaults:
            function.__defaults__ = tuple(
                replacements[id(value)][1] if id(value) in replacements else value
                for value in defaults
            )


def _class_clocks_refuse(prefix: str) -> None:
    datetime = sys.modules.get("datetime")
    if datetime is None:
        return
    for class_name, method in CLASS_CLOCKS:
        # The classes are immutable and everybody's own `datetime` must stay the very class that
        # it is, so the method is exchanged in the dictionary behind the class.
        (attributes,) = gc.get_referents(getattr(datetime, class_name).__dict__)
        label = f"{class_name}.{method}"
        attributes[method] = staticmethod(_refusal(label, CLOCK, prefix))
    _forget_type_lookups()


def _seedless_generators_refuse(prefix: str) -> None:
    original_new, original_seed = random.Random.__new__, random.Random.seed

    def new(cls: type[random.Random], *args: Any, **kwargs: Any) -> random.Random:
        if not any(argument is not None for argument in (*args, *kwargs.values())):
            raise ImpureCall("random.Random", _caller(prefix), RANDOM)
        return original_new(cls, *args, **kwargs)

    def seed(self: random.Random, a: Any = None, version: int = 2) -> None:
        if a is None:
            raise ImpureCall("random.Random.seed", _caller(prefix), RANDOM)
        original_seed(self, a, version)

    random.Random.__new__ = new  # type: ignore[method-assign, assignment]
    random.Random.seed = seed  # type: ignore[method-assign]


def _forget_type_lookups() -> None:
    # The interpreter remembers what it once found in a class.
    getattr(sys, "_clear_internal_caches", lambda: None)()
    getattr(sys, "_clear_type_cache", lambda: None)()


class _Nowhere(io.TextIOBase):
    """Takes text and drops it: a pure component has no streams."""

    def write(self, text: str) -> int:
        return len(text)


def _close_streams() -> None:
    nowhere: Any = _Nowhere()
    sys.stdout = sys.stderr = nowhere
    for name in ("__stdout__", "__stderr__"):
        setattr(sys, name, nowhere)


def _keep_sources(prefix: str) -> None:
    # A traceback shows source lines, and would look for the files.
    for module in list(sys.modules.values()):
        path = getattr(module, "__file__", None)
        if isinstance(path, str) and path.startswith(prefix) and path.endswith(".py"):
            lines = linecache.getlines(path)
            linecache.cache[path] = (sum(map(len, lines)), None, lines, path)
    for dotted, result in _TRACEBACK_READERS:
        first, *outer, name = dotted.split(".")
        owner: Any = sys.modules[first]
        for part in outer:
            owner = getattr(owner, part)
        # A name that this Python does not have is a mistake that must not pass.
        getattr(owner, name)
        setattr(owner, name, _always(result))


def _always(result: object) -> Callable[..., object]:
    return lambda *_args, **_kwargs: result


class _NotBuiltIn:
    """Answers for modules that are not in the component, before the files are searched for them."""

    @classmethod
    def find_spec(cls, name: str, _path: Iterable[str] | None = None, _: object = None) -> NoReturn:
        raise ModuleNotFoundError(
            f"No module named {name!r} in this component: only what is imported while it is built "
            "can be imported when it runs; import it at the top of a module",
            name=name,
        )


def _missing_modules_refuse() -> None:
    finders: list[Any] = sys.meta_path
    position = finders.index(PathFinder) if PathFinder in finders else len(finders)
    finders.insert(position, _NotBuiltIn)
