"""The modules of the standard library that every base component has, as data.

What an instant component imports must have been loaded when its base was built. So the base loads
what a rule may reasonably use: everything that is pure computation. What needs a network, threads
of its own, processes, a terminal or a database is left out, and so is what develops programs. Those
an ordinary build still has, as far as a component can have them at all.
"""

from __future__ import annotations

TEXT = (
    "codecs difflib html html.entities html.parser pprint re reprlib shlex string stringprep textwrap "
    "unicodedata"
)
NUMBERS = (
    "cmath decimal fractions ipaddress math numbers operator random secrets statistics uuid hashlib "
    "hmac colorsys"
)
TIME = "calendar datetime sched time timeit zoneinfo"
DATA = (
    "array base64 binascii bisect collections collections.abc copy copyreg csv dataclasses enum graphlib "
    "heapq json json.decoder json.encoder json.scanner marshal pickle queue struct types weakref"
)
FORMATS = (
    "configparser email email.charset email.encoders email.errors email.generator email.header "
    "email.headerregistry email.message email.mime.multipart email.mime.text email.parser email.policy "
    "email.utils gzip http mimetypes plistlib quopri tomllib urllib urllib.parse xml xml.dom "
    "xml.dom.minidom xml.etree xml.etree.ElementTree xml.parsers.expat xml.sax xml.sax.handler "
    "xml.sax.saxutils zipfile zlib"
)
LANGUAGE = (
    "__future__ abc annotationlib ast atexit builtins contextlib contextvars errno functools gc gettext "
    "importlib importlib.abc importlib.machinery importlib.metadata importlib.resources importlib.util "
    "inspect io itertools keyword linecache locale logging opcode pkgutil platform symtable "
    "sys sysconfig threading token tokenize traceback typing warnings"
)
FILES = "fnmatch genericpath glob os os.path pathlib posixpath shutil stat tempfile"
CODECS = (
    "encodings.ascii encodings.cp1250 encodings.cp1252 encodings.cp437 encodings.idna encodings.iso8859_1 "
    "encodings.iso8859_15 encodings.latin_1 encodings.punycode encodings.raw_unicode_escape "
    "encodings.unicode_escape encodings.utf_16 encodings.utf_16_be encodings.utf_16_le "
    "encodings.utf_32 encodings.utf_8_sig"
)

BASE_LIBRARY: tuple[str, ...] = tuple(
    f"{TEXT} {NUMBERS} {TIME} {DATA} {FORMATS} {LANGUAGE} {FILES} {CODECS}".split()
)
"""All of them. Whatever they import themselves is there as well."""
