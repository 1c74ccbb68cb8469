"""Facts about the Python inside a component, as data: CPython 3.14 of componentize-py 0.25.

They were read out of the guest itself; `tests/component/build/test_guest.py` compares them with it.
"""

from __future__ import annotations

import sys

_SYSTEM = "a component has no operating system under it"
_TERMINAL = "a component has no terminal"
_LIBRARY = "the library under it is not part of a component"

CACHE_TAG = "cpython-314"
"""What the guest has in the names of its bytecode (`sys.implementation.cache_tag`)."""

LACKING: dict[str, str] = {
    "bz2": f"{_LIBRARY}; use zlib",
    "ctypes": "a component cannot load native libraries; use pure Python",
    "curses": _TERMINAL,
    "fcntl": _SYSTEM,
    "grp": _SYSTEM,
    "lzma": f"{_LIBRARY}; use zlib",
    "mmap": "a component has no files to map; use bytes",
    "msvcrt": _SYSTEM,
    "pty": _TERMINAL,
    "pwd": _SYSTEM,
    "readline": _TERMINAL,
    "resource": _SYSTEM,
    "ssl": "a component has no network; put what it needs into the command",
    "syslog": f"{_SYSTEM}; write to sys.stderr",
    "termios": _TERMINAL,
    "tkinter": "a component has no screen",
    "tty": _TERMINAL,
    "turtle": "a component has no screen",
    "winreg": _SYSTEM,
    "winsound": _SYSTEM,
}
"""Modules of the standard library that the guest cannot import, and what to do instead."""

PRIVATE_LACKING = frozenset(
    "_bz2 _ctypes _curses _curses_panel _dbm _gdbm _hashlib _lzma _multiprocessing _overlapped "
    "_posixshmem _posixsubprocess _scproxy _ssl _tkinter _uuid _winapi _wmi _zstd nt".split()
)
"""Private modules that the guest cannot import."""

REMOVED = frozenset(
    "aifc asynchat asyncore audioop cgi cgitb chunk crypt distutils imghdr imp lib2to3 mailcap "
    "msilib nis nntplib ossaudiodev pipes smtpd sndhdr spwd sunau telnetlib uu xdrlib".split()
)
"""Modules that older Pythons have and the guest's no longer has."""

BUILTIN = frozenset(
    "_abc _ast _asyncio _bisect _blake2 _codecs _collections _contextvars _csv _datetime _decimal "
    "_elementtree _functools _heapq _hmac _imp _io _json _locale _md5 _opcode _operator _pickle "
    "_queue _random _sha1 _sha2 _sha3 _signal _socket _sqlite3 _sre _stat _statistics _string "
    "_struct _symtable _thread _tokenize _tracemalloc _types _typing _warnings _weakref _zoneinfo "
    "array atexit binascii builtins cmath errno faulthandler gc itertools marshal math posix "
    "pyexpat select sys time unicodedata zlib".split()
)
"""Modules that stand in the interpreter itself: a component can import them when it runs."""

AT_START = frozenset(
    "__main__ abc codecs encodings encodings.aliases encodings.utf_8 genericpath os os.path "
    "posixpath site stat zipimport".split()
)
"""Modules that are loaded before any of the user's."""

PROVIDED = frozenset(
    "wit_world componentize_py_types componentize_py_runtime componentize_py_async_support "
    "poll_loop".split()
)
"""Packages that exist inside a component only."""

COMPANIONS: dict[str, str] = {
    "calendar": "_strptime",
    "collections": "heapq copy",
    "copyreg": "typing operator",
    "csv": "re",
    "dataclasses": "typing",
    "datetime": "_strptime",
    "difflib": "re",
    "email.utils": "email.charset random",
    "fractions": "decimal",
    "functools": "typing annotationlib weakref",
    "hmac": "hashlib",
    "ipaddress": "re",
    "locale": "re",
    "logging": "pickle",
    "os": "encodings.ascii encodings.cp1252 encodings.latin_1 encodings.utf_16 encodings.utf_32 "
    "encodings.utf_8_sig warnings",
    "pprint": "dataclasses re",
    "random": "hashlib",
    "string": "re",
    "traceback": "ast",
    "typing": "annotationlib contextlib inspect re",
    "urllib.parse": "unicodedata",
    "uuid": "hashlib",
    "xml.etree.ElementTree": "xml.parsers.expat",
}
"""Modules that a module of the standard library imports only when one of its functions is called.

`uuid.uuid5` imports hashlib, `datetime.strptime` imports _strptime: inside a component that is too
late, so the build loads them as soon as the module itself is loaded.
"""


def is_standard(top_name: str) -> bool:
    """Return whether a top-level name belongs to the standard library, here or in the guest."""
    return top_name in sys.stdlib_module_names or top_name in REMOVED or top_name in LACKING


def reason_it_lacks(module: str) -> str | None:
    """Return why the guest cannot import a module of the standard library; None where it can.

    Example:
        >>> reason_it_lacks("lzma")
        'the library under it is not part of a component; use zlib'
        >>> reason_it_lacks("json")
    """
    top_name = module.partition(".")[0]
    if top_name in REMOVED:
        return "Python 3.13 and later no longer have it, and a component runs 3.14"
    if top_name in PRIVATE_LACKING:
        return "it is a private part of Python that a component does not have"
    return LACKING.get(top_name)
