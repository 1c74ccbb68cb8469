"""Calls in the user's functions that a pure component will refuse, found before it runs.

The guard inside the component decides; this only says earlier what shows from the source.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from evidentsource_functions.wasm.pure import CLASS_CLOCKS, CLOCK, IMPURE
from evidentsource_runtime.build.classes import dotted_name, resolve
from evidentsource_runtime.build.closure import Closure
from evidentsource_runtime.problems import Problem


def impure_calls(closure: Closure) -> Iterator[Problem]:
    """Yield a warning for each call inside of a function that reads clock, randomness or files."""
    advice = {
        f"{module}.{name}": instead
        for instead, modules in IMPURE.items()
        for module, names in modules.items()
        for name in names.split()
    }
    advice |= {f"datetime.{owner}.{name}": CLOCK for owner, name in CLASS_CLOCKS}
    advice |= {"open": advice["io.open"], "input": advice["builtins.input"]}
    for source in closure.user_sources():
        for call in _calls_in_functions(source.tree):
            name = dotted_name(call.func)
            if name is None:
                continue
            found = resolve(closure, source, name)
            dotted = name if found is None else found.dotted
            if dotted in advice:
                message = f"{name}() will be refused in a pure component"
                yield Problem("impure-call", message, source.file, call.lineno, advice[dotted])


def _calls_in_functions(tree: ast.AST) -> Iterator[ast.Call]:
    seen: set[ast.Call] = set()
    for function in ast.walk(tree):
        if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            for node in ast.walk(function):
                if isinstance(node, ast.Call) and node not in seen:
                    seen.add(node)
                    yield node
