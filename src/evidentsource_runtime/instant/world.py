"""The contract of a base component: a user's contract with our further exports in its world."""

from __future__ import annotations

from dataclasses import replace

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
        pure: whether the base has no way to print, and so explains a failed fold by an export; a
            program may be a view without the lane.

    Raises:
        ContractError: the world is written in a way that leaves no room for them.
    """
    explained = pure and world == "state-view"
    if explained:
        contract = replace(contract, files=contract.with_explanation())
        if not contract.exports(EXPLAIN):
            message = (
                f"the contract's world {world} cannot take the further exports of a base component"
            )
            hint = "use an ordinary build for this contract: evidentsource build, then Host().load"
            problem = Problem("no-base-for-contract", message, contract.path, hint=hint)
            raise ContractError(problem)
    further = _instant.WIT + (lane.WIT if world == "state-view" else "")
    return contract.with_exports(world, further)
