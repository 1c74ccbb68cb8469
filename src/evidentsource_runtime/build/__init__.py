"""Making components out of Python modules.

>>> from evidentsource_runtime.build import build, BuildError
>>> try:
...     build("no_such_module")
... except BuildError as error:
...     print(error.code)
target-not-found
"""

from evidentsource_runtime.build._build import BuildResult, build
from evidentsource_runtime.build.errors import (
    BuildError,
    ComponentizeFailed,
    ContractError,
    DependencyError,
    ManifestError,
    OutputError,
    PreflightFailed,
    TargetNotFound,
)
from evidentsource_runtime.build.wit import shipped_contract

__all__ = [
    "BuildError",
    "BuildResult",
    "ComponentizeFailed",
    "ContractError",
    "DependencyError",
    "ManifestError",
    "OutputError",
    "PreflightFailed",
    "TargetNotFound",
    "build",
    "shipped_contract",
]
