"""What of the testing kit needs more than the package itself."""

from __future__ import annotations

from importlib.util import find_spec


def require(package: str, what_for: str) -> None:
    """Make sure that an optional package is there.

    Raises:
        ImportError: it is not; the message says what to install.

    >>> require("hypothesis_is_not_called_so", "properties")
    Traceback (most recent call last):
    ...
    ImportError: properties need hypothesis_is_not_called_so: pip install 'evidentsource-func...
    """
    if find_spec(package) is None:
        raise ImportError(
            f"{what_for} need {package}: pip install 'evidentsource-functions[testing]'",
            name=package,
        )
