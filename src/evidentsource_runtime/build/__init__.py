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
from evidentsource_runtime.build.manifest import ComponentSpec, Manifest, read_manifest
from evidentsource_runtime.build.project import ProjectResult, build_project
from evidentsource_runtime.build.selectors import read_selector, selector_json
from evidentsource_runtime.build.wit import shipped_contract

__all__ = [
    "BuildError",
    "BuildResult",
    "ComponentSpec",
    "ComponentizeFailed",
    "ContractError",
    "DependencyError",
    "Manifest",
    "ManifestError",
    "OutputError",
    "PreflightFailed",
    "ProjectResult",
    "TargetNotFound",
    "build",
    "build_project",
    "read_manifest",
    "read_selector",
    "selector_json",
    "shipped_contract",
]
