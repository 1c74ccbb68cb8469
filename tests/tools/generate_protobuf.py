"""Writes the Python code of the gRPC contract from ``interface/proto``: ``make proto``.

The modules that protoc writes register their messages in the process-wide pool. Any other package
with the same messages, the platform's published client among them, could then not be imported
beside this one. So each module is rewritten in two places: it registers in the pool of
``evidentsource_runtime.server.protobuf``, and imports its siblings by their full names.
"""

from __future__ import annotations

import re
import sys
import tempfile
from pathlib import Path

from grpc_tools import protoc

ROOT = Path(__file__).parents[2]
SOURCES = ROOT / "interface" / "proto"
TARGET = ROOT / "src" / "evidentsource_runtime" / "server" / "protobuf" / "generated"
PACKAGE = "evidentsource_runtime.server.protobuf"


def generate(target: Path) -> dict[str, str]:
    """Write the code into ``target``; the text of each file by its name."""
    names = sorted(path.name for path in SOURCES.glob("*.proto"))
    with tempfile.TemporaryDirectory() as folder:
        asked = [
            "protoc", f"-I{SOURCES}", f"-I{Path(protoc.__file__).parent / '_proto'}",
            f"--python_out={folder}", f"--pyi_out={folder}", *names,
        ]  # fmt: skip
        if protoc.main(asked) != 0:
            raise SystemExit("protoc failed")
        written = {path.name: _rewritten(path.read_text()) for path in Path(folder).iterdir()}
    target.mkdir(parents=True, exist_ok=True)
    for name, text in written.items():
        (target / name).write_text(text)
    return written


def _rewritten(text: str) -> str:
    text = re.sub(
        r"^import (\w+_pb2) as", rf"from {PACKAGE}.generated import \1 as", text, flags=re.MULTILINE
    )
    return text.replace(
        "from google.protobuf import descriptor_pool as _descriptor_pool",
        f"from {PACKAGE}._pool import POOL as _POOL",
    ).replace("_descriptor_pool.Default()", "_POOL")


if __name__ == "__main__":
    files = generate(TARGET)
    sys.stdout.write(f"{len(files)} files in {TARGET.relative_to(ROOT)}\n")
