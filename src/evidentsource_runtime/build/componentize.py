"""Running componentize-py, in a process and an environment of its own."""

from __future__ import annotations

import functools
import importlib.metadata
import importlib.util
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from evidentsource_runtime.build.bytecode import Bytecode
from evidentsource_runtime.build.entry import ENTRY_MODULE, LATE_MARK
from evidentsource_runtime.build.errors import BuildError, ComponentizeFailed
from evidentsource_runtime.build.staging import DEPENDENCIES, SDK, absolute_paths
from evidentsource_runtime.problems import Problem

Progress = Callable[[str, float], None]
"""Called while a build runs, with what is being done and the seconds since it began."""

_RUN = """\
import sys
sys.path.insert(0, sys.argv.pop(1))
sys.argv[0] = "componentize-py"
import componentize_py
try:
    componentize_py.script()
except AssertionError as error:
    print(error, file=sys.stderr)
    sys.exit(1)
"""

_LOOK_SECONDS = 0.1
"""How often it is looked what the tool does; progress is told, and the guest's work kept, that often."""
_KEPT_VARIABLES = ("HOME", "SYSTEMROOT", "LANG", "LC_ALL")
_TEMPORARY_FOLDER = ("TMPDIR", "TEMP", "TMP")
_FRAME = re.compile(r'^  File "(?P<file>[^"]+)", line (?P<line>\d+)', re.MULTILINE)


@functools.cache
def tool_version() -> str:
    """Return the version of componentize-py that is installed."""
    return importlib.metadata.version("componentize-py")


def componentize(
    folder: Path,
    *,
    world: str,
    pure: bool,
    origins: Mapping[str, Path],
    late: Mapping[str, tuple[Path, int]],
    progress: Progress | None = None,
) -> bytes:
    """Make a component out of a staged folder.

    Args:
        folder: with the subfolders "0", "1", "2" that `Staged.write` makes, and "wit".
        world: the world's name in the contract.
        pure: whether to stub WASI.
        origins: the user's file for each guest path, for tracebacks.
        late: where functions import which modules, for the message.
        progress: called several times a second while it runs.

    Raises:
        ComponentizeFailed: the tool failed; with the guest's traceback where there is one.
    """
    output = folder / "component.wasm"
    environment = folder / "environment"
    (environment / "lib" / "site-packages").mkdir(parents=True)
    arguments = ["-d", str(folder / "wit"), "-w", world, "componentize", "-o", str(output)]
    for index in range(3):
        arguments += ["-p", str(folder / str(index))]
    if pure:
        arguments.append("--stub-wasi")
    command = [sys.executable, "-I", "-c", _RUN, _tool_folder(), *arguments, ENTRY_MODULE]
    # The tool adds the site-packages of VIRTUAL_ENV to the guest's path, or without one asks
    # pipenv and python3 for theirs. It is given an environment that is empty.
    variables = {key: os.environ[key] for key in _KEPT_VARIABLES if key in os.environ}
    variables |= {"VIRTUAL_ENV": str(environment), "PATH": str(environment)}
    # What the tool leaves lying when it is stopped goes with our own folder.
    scratch = folder / "scratch"
    scratch.mkdir()
    variables |= dict.fromkeys(_TEMPORARY_FOLDER, str(scratch))
    bytecode = Bytecode(tool_version(), leave_out=[ENTRY_MODULE])
    for index in (SDK, DEPENDENCIES):
        bytecode.lay(folder / str(index))

    def meanwhile() -> None:
        # The tool unpacks the standard library as soon as it starts, and the guest imports that seconds
        # later. Its other folders it reads itself, as text, and wants nothing else in them.
        for library in scratch.glob("*/os.py"):
            bytecode.lay(library.parent)
        bytecode.gather()

    code, said = _run(command, variables, folder, meanwhile, progress)
    if code != 0 or not output.is_file():
        raise _failure(said, origins, late)
    bytecode.gather()
    bytecode.keep()
    return output.read_bytes()


def _run(
    command: list[str],
    variables: Mapping[str, str],
    folder: Path,
    meanwhile: Callable[[], None],
    progress: Progress | None,
) -> tuple[int, str]:
    started = time.monotonic()
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            command, env=variables, cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
        try:
            while True:
                try:
                    code = process.wait(timeout=_LOOK_SECONDS)
                    break
                except subprocess.TimeoutExpired:
                    meanwhile()
                    if progress is not None:
                        progress("building", time.monotonic() - started)
        except BaseException:
            process.kill()
            process.wait()
            raise
        log.seek(0)
        return code, log.read().decode("utf-8", "replace")


def _tool_folder() -> str:
    found = importlib.util.find_spec("componentize_py")
    if found is None or found.origin is None:
        hint = "install the package again: pip install --force-reinstall evidentsource-functions"
        raise BuildError(Problem("missing-tool", "componentize-py is not installed", hint=hint))
    return str(Path(found.origin).parents[1])


def _failure(
    said: str, origins: Mapping[str, Path], late: Mapping[str, tuple[Path, int]]
) -> ComponentizeFailed:
    text = re.split(r"^(?:Caused by:|Stack backtrace:)", said, maxsplit=1, flags=re.MULTILINE)[0]
    text = text.strip()
    start = text.find("Traceback (most recent call last):")
    if start < 0:
        message = f"componentize-py failed: {text or 'it said nothing'}"
        return ComponentizeFailed(Problem("componentize-failed", message))
    traceback = _without_entry_frames(absolute_paths(text[start:], origins))
    last_line = traceback.rstrip().rpartition("\n")[2]
    if LATE_MARK in last_line:
        name = last_line.partition(LATE_MARK)[2]
        late_file, late_line = late[name]
        message = f"{name} is imported inside of a function, and nothing imports it at the top"
        hint = "import it at the top of a module, so that it becomes part of the component"
        return ComponentizeFailed(Problem("late-import", message, late_file, late_line, hint))
    return ComponentizeFailed(import_problem(traceback, set(map(str, origins.values()))), traceback)


def import_problem(traceback: str, files: set[str]) -> Problem:
    """Return the problem behind a guest's traceback of an import, at the user's innermost line.

    Args:
        traceback: with the paths of the user's own files.
        files: those paths.
    """
    last_line = traceback.rstrip().rpartition("\n")[2]
    file, line = _place(traceback, files)
    message = f"the module cannot be imported inside of the component: {last_line}"
    return Problem("import-failed", message, file, line, _hint(last_line))


def _place(traceback: str, files: set[str]) -> tuple[Path | None, int | None]:
    frames = [frame for frame in _FRAME.finditer(traceback) if frame["file"] in files]
    if not frames:
        return None, None
    return Path(frames[-1]["file"]), int(frames[-1]["line"])


def _without_entry_frames(traceback: str) -> str:
    """Leave out the frames of the entry module and of importlib, which are not the user's."""
    kept: list[str] = []
    skipping = False
    for line in traceback.splitlines():
        frame = _FRAME.match(line)
        if frame is not None:
            skipping = ENTRY_MODULE in frame["file"] or (
                frame["file"].startswith(("/python/importlib", "<frozen importlib"))
            )
        elif not line.startswith("    "):
            skipping = False
        if not skipping:
            kept.append(line.replace('"/1/', '"').replace('"/2/', '"').replace('"/python/', '"'))
    return "\n".join(kept)


def _hint(last_line: str) -> str | None:
    if last_line.startswith("ModuleNotFoundError"):
        return (
            "only modules that an import statement names are part of a build; one that is imported "
            "by a computed name needs `import` somewhere, a distribution needs --dependency"
        )
    if "/0/" in last_line and "No such file" in last_line:
        return "only files inside of a package are part of a build; put the file into one"
    return None
