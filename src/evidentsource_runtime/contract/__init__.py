"""The rules of a database as a pytest suite, which any implementation can be held to.

Derive a class from :class:`DatabaseContract`, and give it a fixture that makes an empty database and
returns its driver, a :class:`DatabaseUnderTest`. ``docs/database-contract.md`` shows a whole one.
"""

from __future__ import annotations

from importlib.util import find_spec

for _needed in ("pytest", "hypothesis"):
    if find_spec(_needed) is None:
        raise ImportError(
            f"the database contract needs {_needed}: pip install 'evidentsource-functions[testing]'",
            name=_needed,
        )

import pytest  # noqa: E402 - after the check above

# Before any of them is imported, so that a failing test shows the values that it compared.
pytest.register_assert_rewrite(
    *(
        f"{__name__}.{module}"
        for module in (
            "catalogs",
            "changing",
            "committing",
            "conditions",
            "keeping",
            "machine",
            "querying",
            "refusing",
            "selecting",
            "sharing",
            "speculating",
            "storing",
            "values",
            "viewing",
        )
    )
)

from evidentsource_runtime.contract.catalogs import (  # noqa: E402 - after the registration above
    CatalogContract,
    CatalogUnderTest,
)
from evidentsource_runtime.contract.driver import (  # noqa: E402 - after the registration above
    Capability,
    CommittedTransaction,
    DatabaseUnderTest,
    DriverIncomplete,
)
from evidentsource_runtime.contract.machine import DatabaseMachine  # noqa: E402
from evidentsource_runtime.contract.model import Model  # noqa: E402
from evidentsource_runtime.contract.programs import ChangeProgram, ViewProgram  # noqa: E402
from evidentsource_runtime.contract.reference import ReferenceDriver  # noqa: E402
from evidentsource_runtime.contract.suite import DatabaseContract  # noqa: E402

__all__ = [
    "Capability",
    "CatalogContract",
    "CatalogUnderTest",
    "ChangeProgram",
    "CommittedTransaction",
    "DatabaseContract",
    "DatabaseMachine",
    "DatabaseUnderTest",
    "DriverIncomplete",
    "Model",
    "ReferenceDriver",
    "ViewProgram",
]
