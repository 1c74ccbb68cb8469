"""What a component file says about itself, read without compiling it.

`read_component` reads the imports and exports of any component, and the facts of its build where
`evidentsource build` made it.
"""

from evidentsource_runtime.artifact.binary import Extern, NotAComponent
from evidentsource_runtime.artifact.component import ComponentFile, read_component
from evidentsource_runtime.artifact.facts import FACTS_SECTION, BuildFacts, with_facts

__all__ = [
    "FACTS_SECTION",
    "BuildFacts",
    "ComponentFile",
    "Extern",
    "NotAComponent",
    "read_component",
    "with_facts",
]
