"""The echo view once more, with a dependency; it also tells what it saw while it was built."""

import importlib
import json
import os
import sys

AT_START = sorted(name for name in sys.modules if name not in {__name__, "wit_world"})

import attrs  # noqa: E402 - it loads much of what is looked for above

import echo_view  # noqa: E402 - beside this file, in the component


@attrs.define
class Total:
    amount: int = 0


def _importable(name: str) -> bool:
    try:
        importlib.import_module(name)
    except ImportError:
        return False
    return True


def _folders() -> dict[str, list[str]]:
    found = {}
    for path in sys.path:
        if path.lstrip("/").isdigit():
            found[path] = sorted(name for name in os.listdir(path) if name != "__pycache__")
    return found


SUSPECTS = (
    "_bz2 _ctypes _curses _curses_panel _dbm _gdbm _hashlib _lzma _multiprocessing _overlapped "
    "_posixshmem _posixsubprocess _scproxy _ssl _tkinter _uuid _winapi _wmi _zstd aifc asynchat "
    "asyncore asyncio audioop bz2 cgi cgitb chunk crypt csv ctypes curses decimal distutils fcntl "
    "grp imghdr imp json lib2to3 lzma mailcap mmap msilib msvcrt nis nntplib nt ossaudiodev pipes "
    "pty pwd readline resource smtpd sndhdr spwd sqlite3 ssl sunau syslog telnetlib termios "
    "threading tkinter tty turtle uu winreg winsound xdrlib zlib zoneinfo"
)

FACTS = {
    "version": list(sys.version_info[:2]),
    "at_start": AT_START,
    "builtin": sorted(sys.builtin_module_names),
    "importable": [name for name in SUSPECTS.split() if _importable(name)],
    "lacking": [name for name in SUSPECTS.split() if not _importable(name)],
    "leaked": [name for name in ("pytest", "wasmtime", "cyclopts", "pip") if _importable(name)],
    "folders": _folders(),
    "environment": sorted(os.environ),
}


class WitWorld(echo_view.WitWorld):
    def evolve(self, state_view, events):
        if state_view.content != b"do-tell-facts":
            return super().evolve(state_view, events)
        total = attrs.asdict(Total(len(events)))
        return json.dumps(FACTS | {"total": total}).encode()
