"""The component's own generated classes, which exist only while it is built and while it runs.

The runtime accepts and makes instances of exactly these classes; those of any other copy of the
bindings, generated elsewhere, are strangers to it. So nothing here is shipped: it is found.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from functools import cache
from importlib import import_module
from typing import Any

from evidentsource_functions._lower import Lowering, Vocabulary
from evidentsource_functions.wasm._preload import preload

IN_COMPONENT = sys.platform == "wasi"
"""Whether this code runs inside a component, or is being built into one."""

cloudevents: Any = None
"""Generated from the contract's interface ``cloudevents``; None outside of components."""
changes: Any = None
"""Generated from the interface ``state-change-types``; None outside of the state-change world."""
Err: Any = None
"""What a function with an error channel raises; None outside of components."""

if IN_COMPONENT:
    # Whatever is not imported while a component is built cannot be imported when it runs.
    preload()
    Err = import_module("componentize_py_types").Err
    cloudevents = import_module("wit_world.imports.cloudevents")
    with suppress(ImportError):
        changes = import_module("wit_world.imports.state_change_types")


@cache
def lowering() -> Lowering:
    """Lowers into the classes of this component's state-change world."""
    ce, sc = cloudevents, changes
    return Lowering(
        Vocabulary(
            datetime=ce.Datetime,
            data_binary=ce.CloudeventData_Binary,
            data_string=ce.CloudeventData_String,
            attribute_boolean=ce.CloudeventAttributeValue_Boolean,
            attribute_integer=ce.CloudeventAttributeValue_Integer,
            attribute_string=ce.CloudeventAttributeValue_String,
            attribute_binary=ce.CloudeventAttributeValue_Binary,
            attribute_uri=ce.CloudeventAttributeValue_Uri,
            attribute_uri_ref=ce.CloudeventAttributeValue_UriRef,
            attribute_timestamp=ce.CloudeventAttributeValue_Timestamp,
            cloudevent=ce.Cloudevent,
            stream=sc.EventAttribute_Stream,
            subject=sc.EventAttribute_Subject,
            event_type=sc.EventAttribute_EventType,
            stream_prefix=sc.EventAttributePrefix_Stream,
            subject_prefix=sc.EventAttributePrefix_Subject,
            event_type_prefix=sc.EventAttributePrefix_EventType,
            equals=sc.EventSelectorNode_Equals,
            starts_with=sc.EventSelectorNode_StartsWith,
            and_node=lambda left, right: sc.EventSelectorNode_And((left, right)),
            or_node=lambda left, right: sc.EventSelectorNode_Or((left, right)),
            selector=sc.EventSelector,
            condition_min=lambda selector, revision: sc.BatchConstraint_Min(
                sc.BatchConstraintMin(selector, revision)
            ),
            condition_max=lambda selector, revision: sc.BatchConstraint_Max(
                sc.BatchConstraintMax(selector, revision)
            ),
            condition_range=lambda selector, low, high: sc.BatchConstraint_Range(
                sc.BatchConstraintRange(selector, low, high)
            ),
        )
    )
