"""What a component was built from, kept in a custom section of the component itself.

The same inputs give the same section: it holds no time, no machine and no path outside the
project. WebAssembly engines ignore custom sections, so a component with one runs wherever one
without it does.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

FACTS_SECTION = "evidentsource:build"


@dataclass(frozen=True, slots=True)
class BuildFacts:
    """The facts of one build.

    Args:
        input_hash: SHA-256 over everything that went in, as 64 hexadecimal digits.
        world: "state-view" or "state-change".
        module: the user's module, dotted.
        pure: whether clock, randomness and files were taken away.
        sdk_version: of this SDK.
        componentize_py_version: of the tool that made the component.
        wit_package: the package id of the contract, such as "evidentsource:decider".
        dependencies: the distributions that were built in, name to version.
        sources: paths as the guest's tracebacks show them ("/0/view.py"), each to the file's
            path relative to the project ("src/view.py").
        base: SHA-256 of the base component that a reproducible build filled; empty where an
            ordinary build made the component.
        contract_only: whether it was to export what the contract has and nothing else.

    Example:
        >>> facts = BuildFacts("0" * 64, "state-view", "view", sources={"/0/view.py": "src/view.py"})
        >>> BuildFacts.from_json(facts.to_json()) == facts
        True
        >>> facts.user_path('  File "/0/view.py", line 3, in evolve')
        '  File "src/view.py", line 3, in evolve'
    """

    input_hash: str
    world: str
    module: str
    pure: bool = False
    sdk_version: str = ""
    componentize_py_version: str = ""
    wit_package: str = ""
    dependencies: Mapping[str, str] = field(default_factory=dict)
    sources: Mapping[str, str] = field(default_factory=dict)
    base: str = ""
    contract_only: bool = False

    def user_path(self, text: str) -> str:
        """Return a guest's traceback with its paths led back to the user's files."""
        for inside, outside in self.sources.items():
            text = text.replace(f'"{inside}"', f'"{outside}"')
        return text

    def to_json(self) -> str:
        """Return the facts as JSON text with sorted keys."""
        rare = ("base", "contract_only")
        known = {key: value for key, value in asdict(self).items() if key not in rare or value}
        return json.dumps(known, sort_keys=True, separators=(",", ":"), ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> BuildFacts:
        """Read the facts back; what a newer version has added is left aside.

        Raises:
            ValueError: the text is no JSON object with the facts that every version has.
        """
        values: Any = json.loads(text)
        if not isinstance(values, dict):
            raise ValueError("no JSON object")  # noqa: TRY004 - the text is wrong, not its type
        known = {each.name for each in fields(cls)}
        try:
            return cls(**{key: value for key, value in values.items() if key in known})
        except TypeError as error:
            raise ValueError(f"the build facts are incomplete: {error}") from error


def with_facts(component: bytes, facts: BuildFacts) -> bytes:
    """Return the component with the facts appended as a custom section."""
    name = FACTS_SECTION.encode()
    content = _u32(len(name)) + name + facts.to_json().encode("utf-8")
    return component + b"\x00" + _u32(len(content)) + content


def _u32(value: int) -> bytes:
    encoded = bytearray()
    while True:
        byte, value = value & 0x7F, value >> 7
        encoded.append(byte | (0x80 if value else 0))
        if not value:
            return bytes(encoded)
