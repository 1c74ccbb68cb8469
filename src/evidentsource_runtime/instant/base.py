"""Base components: the SDK and a choice of the standard library, and room for a program.

One is built for each world, contract, version of the SDK and of componentize-py, and kept.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from evidentsource_runtime.build import cache
from evidentsource_runtime.build.componentize import componentize, tool_version
from evidentsource_runtime.build.entry import ENTRY_MODULE, FREEZE, USER_PREFIX
from evidentsource_runtime.build.guest import COMPANIONS, LACKING, PRIVATE_LACKING
from evidentsource_runtime.build.staging import SDK, SDK_PACKAGES, Staged, sdk_files
from evidentsource_runtime.build.wit import Contract
from evidentsource_runtime.cachedir import cache_directory
from evidentsource_runtime.instant.library import BASE_LIBRARY
from evidentsource_runtime.instant.world import base_wit

KEPT = 16
"""Base components that are kept; the longest unused of more goes."""

Progress = Callable[[float], None]
"""Called several times a second while a base component is built, with the seconds since it began."""

_FORMAT = 1

_ENTRY = '''\
"""The entry of a base component: loads what programs may import."""

import importlib
import pkgutil
import sys

from evidentsource_functions.wasm import _bindings, _instant, adapters
import evidentsource_core.reference
import evidentsource_functions.testing
import wit_world

for _package in {packages!r}:
    for _found in pkgutil.walk_packages(sys.modules[_package].__path__, _package + "."):
        importlib.import_module(_found.name)

for _name in {library!r}:
    importlib.import_module(_name)

for _name, _companions in {companions!r}.items():
    if _name in sys.modules:
        for _companion in _companions.split():
            importlib.import_module(_companion)

_instant.prepare({lacking!r})


class WitWorld(_instant.Base):
    """What componentize-py looks for."""
'''

_PURE = """
from evidentsource_functions.wasm import pure

pure.install({prefix!r})
"""

_REHEARSE = """
from evidentsource_functions.wasm._rehearsal import rehearse

rehearse()
"""


@dataclass(frozen=True, slots=True)
class BaseFacts:
    """What is kept of a base component beside its bytes.

    Args:
        key: SHA-256 over everything it is built from.
        digest: SHA-256 of its bytes, which differ from one build to the next.
    """

    key: str
    digest: str


@dataclass(frozen=True)
class Base:
    """What decides a base component.

    Args:
        world: "state-view" or "state-change".
        pure: whether clock, randomness and files are taken away.
        contract: the contract that it exports.
    """

    world: str
    pure: bool
    contract: Contract

    @functools.cached_property
    def wit_files(self) -> dict[str, str]:
        """The contract with the further exports."""
        return base_wit(self.contract, self.world, pure=self.pure)

    @functools.cached_property
    def key(self) -> str:
        """SHA-256 over everything that it is built from."""
        inputs = {
            "format": _FORMAT,
            "tool": tool_version(),
            "world": self.world,
            "pure": self.pure,
            "wit": self.wit_files,
            "entry": _entry_source(pure=self.pure),
            "sdk": _sdk_digest(),
        }
        return hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()

    def built(self, progress: Progress | None = None) -> tuple[BaseFacts, Callable[[], bytes]]:
        """Return the facts of the base component, and how to get at its bytes.

        It is built where no earlier build of it is kept, which takes half a minute.

        Args:
            progress: told while it is built.

        Raises:
            ComponentizeFailed: componentize-py failed.
        """
        facts = _kept(self.key)
        if facts is None:
            with cache.building(f"base-{self.key}"):
                # Another process may have built it while this one waited.
                facts = _kept(self.key) or self._build(progress)
        found = facts
        return found, lambda: _path(found.key).read_bytes()

    def _build(self, progress: Progress | None) -> BaseFacts:
        with tempfile.TemporaryDirectory(prefix="evidentsource-base-") as name:
            folder = Path(name)
            _staged(pure=self.pure).write(folder)
            for relative, text in self.wit_files.items():
                target = folder / "wit" / relative
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(text, encoding="utf-8")
            component = componentize(
                folder,
                world=self.world,
                pure=self.pure,
                origins={},
                late={},
                progress=None if progress is None else lambda _what, seconds: progress(seconds),
            )
        facts = BaseFacts(self.key, hashlib.sha256(component).hexdigest())
        cache.write_atomically(_path(self.key), component)
        note = {"digest": facts.digest, "size": len(component)}
        cache.write_atomically(_note(self.key), json.dumps(note).encode())
        _make_room()
        return facts


def _kept(key: str) -> BaseFacts | None:
    try:
        note = json.loads(_note(key).read_bytes())
        if _path(key).stat().st_size != note["size"]:
            return None
        os.utime(_path(key))
        return BaseFacts(key, note["digest"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _path(key: str) -> Path:
    return cache_directory("bases") / f"{key}.wasm"


def _note(key: str) -> Path:
    return cache_directory("bases") / f"{key}.json"


def _make_room() -> None:
    paths = cache_directory("bases").glob("*.wasm")
    newest = sorted(paths, key=lambda path: path.stat().st_mtime, reverse=True)
    for path in newest[KEPT:]:
        path.unlink(missing_ok=True)
        path.with_suffix(".json").unlink(missing_ok=True)


def _staged(*, pure: bool) -> Staged:
    files: dict[str, Path | str] = {f"/{SDK}/{ENTRY_MODULE}.py": _entry_source(pure=pure)}
    for package in SDK_PACKAGES:
        files |= sdk_files(package, with_testing=True)
    return Staged(files, {})


def _entry_source(*, pure: bool) -> str:
    source = _ENTRY.format(
        packages=("evidentsource_core", "evidentsource_functions", "wit_world"),
        library=BASE_LIBRARY,
        companions=COMPANIONS,
        lacking=sorted({*LACKING, *PRIVATE_LACKING}),
    )
    return source + _REHEARSE + (_PURE.format(prefix=USER_PREFIX) if pure else "") + FREEZE


@functools.cache
def _sdk_digest() -> str:
    staged = _staged(pure=False)
    return hashlib.sha256(json.dumps(staged.digests(), sort_keys=True).encode()).hexdigest()
