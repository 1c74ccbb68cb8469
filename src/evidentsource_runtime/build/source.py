"""One module's source: its syntax tree and what it imports, without running any of it."""

from __future__ import annotations

import ast
import threading
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from evidentsource_runtime.build.errors import PreflightFailed
from evidentsource_runtime.problems import Problem

_IMPORT_ERRORS = {"ImportError", "ModuleNotFoundError", "Exception", "BaseException"}


@dataclass(frozen=True, slots=True)
class Import:
    """One module that an import statement names.

    Args:
        module: dotted and absolute.
        names: what `from module import ...` takes out of it; empty for `import module`.
        line: of the statement.
        function: the function that it stands in; empty at the top of the module.
        guarded: whether the code goes on without the module, by `try ... except ImportError`.
    """

    module: str
    names: tuple[str, ...]
    line: int
    function: str = ""
    guarded: bool = False


@dataclass(frozen=True)
class Source:
    """A module of the build.

    Args:
        module: its dotted name.
        file: where it stands.
        owner: whose it is: "user", "sdk", or the name of a distribution.
        tree: its syntax tree.
        imports: what it imports, in the order of the file.
    """

    module: str
    file: Path
    owner: str
    tree: ast.Module = field(repr=False)
    imports: tuple[Import, ...] = ()

    @property
    def package(self) -> str:
        """The package that its relative imports start from."""
        if self.file.name == "__init__.py":
            return self.module
        return self.module.rpartition(".")[0]


_parsing = threading.Lock()


@lru_cache(maxsize=256)
def parse(text: str | bytes, name: str) -> ast.Module:
    """``ast.parse``, by one thread at a time.

    Python 3.11 and 3.12 count the depth of all trees that are made in one place, so that two threads
    at once can end in a ``SystemError``; and a project's components are built side by side. Trees are
    kept, since every component has the modules of this SDK, and nobody changes them.
    """
    with _parsing:
        return ast.parse(text, name)


def read_source(module: str, file: Path, owner: str) -> Source:
    """Read and parse a module.

    Raises:
        PreflightFailed: the file cannot be read, or is not valid Python; with file and line.
    """
    try:
        with tokenize.open(file) as stream:
            text = stream.read()
        tree = parse(text, str(file))
    except SyntaxError as error:
        detail = (error.text or "").strip()
        hint = f"at: {detail}" if detail else None
        problem = Problem("syntax-error", f"syntax error: {error.msg}", file, error.lineno, hint)
        raise PreflightFailed(problem) from None
    except (OSError, UnicodeDecodeError, ValueError) as error:
        problem = Problem("unreadable-file", f"the file cannot be read: {error}", file)
        raise PreflightFailed(problem) from error
    source = Source(module, file, owner, tree)
    return Source(module, file, owner, tree, tuple(_imports(tree, source.package)))


def _imports(tree: ast.Module, package: str) -> Iterator[Import]:
    yield from _walk(tree.body, package, "", guarded=False)


def _walk(body: list[ast.stmt], package: str, function: str, *, guarded: bool) -> Iterator[Import]:
    for node in body:
        match node:
            case ast.Import(names=names):
                for name in names:
                    yield Import(name.name, (), node.lineno, function, guarded)
            case ast.ImportFrom():
                yield _from_import(node, package, function, guarded=guarded)
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                yield from _walk(node.body, package, function or node.name, guarded=guarded)
            case ast.If(test=test) if _is_type_checking(test):
                yield from _walk(node.orelse, package, function, guarded=guarded)
            case _:
                for inner, soft in _blocks(node):
                    yield from _walk(inner, package, function, guarded=guarded or soft)


def _blocks(node: ast.stmt) -> Iterator[tuple[list[ast.stmt], bool]]:
    """Yield the blocks of a statement, and whether a failed import inside of one is caught."""
    handlers: list[ast.ExceptHandler] = getattr(node, "handlers", [])
    caught = any(_catches_import_error(handler) for handler in handlers)
    yield getattr(node, "body", []), caught
    for part in ("orelse", "finalbody"):
        yield getattr(node, part, []), False
    for inner in (*handlers, *getattr(node, "cases", [])):
        yield inner.body, False


def _from_import(node: ast.ImportFrom, package: str, function: str, *, guarded: bool) -> Import:
    module = node.module or ""
    if node.level:
        parts = package.split(".") if package else []
        kept = parts[: len(parts) - (node.level - 1)]
        # A relative import without a package keeps its dots; the check of the imports refuses it.
        base = ".".join(kept) if package and kept else "." * node.level
        module = f"{base}.{module}".rstrip(".") if not base.startswith(".") else base + module
    return Import(module, tuple(alias.name for alias in node.names), node.lineno, function, guarded)


def _is_type_checking(test: ast.expr) -> bool:
    name = test.id if isinstance(test, ast.Name) else getattr(test, "attr", "")
    return name == "TYPE_CHECKING"


def _catches_import_error(handler: ast.ExceptHandler) -> bool:
    if handler.type is None:
        return True
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(isinstance(kind, ast.Name) and kind.id in _IMPORT_ERRORS for kind in kinds)
