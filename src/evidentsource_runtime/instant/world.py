"""The contract of a base component: a user's contract with our further exports in its world."""

from __future__ import annotations

import re

from evidentsource_functions import lane
from evidentsource_functions.wasm import _instant
from evidentsource_runtime.build.errors import ContractError
from evidentsource_runtime.build.wit import EXPLAIN, Contract
from evidentsource_runtime.problems import Problem


def base_wit(contract: Contract, world: str, *, pure: bool) -> dict[str, str]:
    """Return the contract's files, the world with the exports of a base component.

    Args:
        contract: a user's contract, or the SDK's own.
        world: "state-view" or "state-change".
        pure: whether the base has no way to print, and so explains a failed fold by an export.

    Raises:
        ContractError: the world is written in a way that leaves no room for them.
    """
    explained = pure and world == "state-view"
    files = contract.with_explanation() if explained else dict(contract.files)
    further = _instant.WIT + (lane.WIT if world == "state-view" else "")
    opening = re.compile(rf"\bworld\s+%?{re.escape(world)}\s*\{{")
    for name, text in files.items():
        # Only the contract's own package; its dependencies lie in folders below.
        found = None if "/" in name else opening.search(text)
        if found is not None:
            files[name] = text[: found.end()] + further + text[found.end() :]
            if explained and EXPLAIN not in text:
                break
            return files
    message = f"the contract's world {world} cannot take the further exports of a base component"
    hint = "use an ordinary build for this contract: evidentsource build, then Host().load"
    raise ContractError(Problem("no-base-for-contract", message, contract.path, hint=hint))
