"""What componentize-py says, made into one error with the user's file and line."""

from __future__ import annotations

from pathlib import Path

from evidentsource_runtime.build.componentize import _failure

ORIGINS = {"/0/shop/view.py": Path("src/shop/view.py")}
SAID = """\
Traceback (most recent call last):
  File "/1/evidentsource_component_entry.py", line 7, in <module>
    WitWorld = importlib.import_module('shop.view').WitWorld
               ~~~~~~~~~~~~~~~~~~~~~~~^^^^^^^^^^^^^
  File "/python/importlib/__init__.py", line 88, in import_module
    return _bootstrap._gcd_import(name[level:], package, level)
           ~~~~~~~~~~~~~~~~~~~~~~^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  File "<frozen importlib._bootstrap>", line 1398, in _gcd_import
  File "/0/shop/view.py", line 12, in <module>
    TABLE = load()
  File "/0/shop/view.py", line 9, in load
    return 1 / 0
           ~~^~~
  File "/1/evidentsource_core/times.py", line 3, in helper
ZeroDivisionError: division by zero


Caused by:
    ZeroDivisionError: division by zero

Stack backtrace:
   0: <anyhow::Error>::msg
"""


def test_the_guests_traceback_is_shown_with_the_users_paths_and_without_ours() -> None:
    error = _failure(SAID, ORIGINS, {})
    assert (error.code, error.file, error.line) == ("import-failed", Path("src/shop/view.py"), 9)
    assert "ZeroDivisionError: division by zero" in str(error)
    assert error.guest_traceback == (
        "Traceback (most recent call last):\n"
        '  File "src/shop/view.py", line 12, in <module>\n'
        "    TABLE = load()\n"
        '  File "src/shop/view.py", line 9, in load\n'
        "    return 1 / 0\n"
        "           ~~^~~\n"
        '  File "evidentsource_core/times.py", line 3, in helper\n'
        "ZeroDivisionError: division by zero"
    )


def test_a_late_import_that_shows_inside_only_names_the_users_line() -> None:
    said = SAID.replace(
        "ZeroDivisionError: division by zero", "ImportError: evidentsource late import: heapq", 1
    )
    error = _failure(said, ORIGINS, {"heapq": (Path("src/shop/view.py"), 30)})
    assert (error.code, error.file, error.line) == ("late-import", Path("src/shop/view.py"), 30)
    assert error.guest_traceback == ""


def test_a_failure_of_the_tool_itself_is_said_in_its_words() -> None:
    error = _failure("failed to parse WIT\n\nCaused by:\n  something\n", {}, {})
    assert (error.code, str(error)) == (
        "componentize-failed",
        "componentize-py failed: failed to parse WIT",
    )
    assert "said nothing" in str(_failure("", {}, {}))
