from __future__ import annotations

from typing import Any

from evidentsource_runtime.build.impure import impure_calls

TEXT = """
import time, uuid as ids
from datetime import datetime, date
from random import choice
START = time.time()
def f(event):
    time.time()
    ids.uuid4()
    ids.uuid5(ids.NAMESPACE_DNS, "x")
    datetime.now()
    datetime.fromisoformat("2024-01-01")
    date.today()
    choice([1])
    open("x")
    event.time()
    if event:
        time.sleep(1)
"""


def test_calls_that_a_pure_component_refuses_show_from_the_source(read: Any) -> None:
    found = [(each.line, each.message.partition("(")[0]) for each in impure_calls(read(TEXT))]
    assert found == [
        (7, "time.time"),
        (8, "ids.uuid4"),
        (10, "datetime.now"),
        (12, "date.today"),
        (13, "choice"),
        (14, "open"),
        (17, "time.sleep"),
    ]
