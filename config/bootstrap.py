"""Set up the dependencies on a bare machine, with the standard library only.

`manage.py` calls this before Django is imported. It makes `.venv` beside itself with uv when that is
installed, else with venv and pip, from the lock file with hashes, says what it does, and starts the same
command again inside. `NO_BOOTSTRAP=1` switches it off.
"""

import hashlib
import importlib.metadata
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

OLDEST_PYTHON = (3, 11)
LOOP_GUARD = "LOYALTY_BOOTSTRAPPED"
STAMP = "installed-lock.sha256"


def ensure_dependencies(root: Path) -> None:
    """Return when the locked dependencies can be imported; otherwise install them and start again.

    Ends the process with a message when Python is too old, when venv is missing, or when installing fails.
    """
    if sys.version_info < OLDEST_PYTHON:
        give_up("Python {}.{} or newer is needed, this is {}.".format(*OLDEST_PYTHON, sys.version.split()[0]))
    if os.environ.get("NO_BOOTSTRAP") == "1" or is_ready(root):
        return
    if os.environ.get(LOOP_GUARD):
        give_up(f"{root / '.venv'} lacks dependencies although they were installed; remove it and try again.")
    with alone(root):
        if not is_complete(root):
            install(root)
    start_again(root)


def is_ready(root: Path) -> bool:
    """Tell whether this interpreter has the locked dependencies.

    Our own `.venv` has them when it was filled from the present lock file, or by hand and never by us.
    """
    if Path(sys.prefix).resolve() == (root / ".venv").resolve():
        stamp = root / ".venv" / STAMP
        return is_complete(root) or (not stamp.exists() and importlib.util.find_spec("django") is not None)
    return has_locked_version("django", root) and has_locked_version("celery", root)


def is_complete(root: Path) -> bool:
    """Tell whether `.venv` was filled from the present lock file."""
    stamp = root / ".venv" / STAMP
    return stamp.exists() and stamp.read_text(encoding="ascii") == fingerprint(root)


def fingerprint(root: Path) -> str:
    """Return a fingerprint of the lock file."""
    return hashlib.sha256((root / "requirements.lock").read_bytes()).hexdigest()


def has_locked_version(package: str, root: Path) -> bool:
    """Tell whether this interpreter has exactly the version of `package` that the lock file names."""
    lock = (root / "requirements.lock").read_text(encoding="utf-8")
    locked = re.search(rf"^{package}==(\S+)", lock, flags=re.MULTILINE)
    try:
        return locked is not None and importlib.metadata.version(package) == locked[1]
    except importlib.metadata.PackageNotFoundError:
        return False


@contextmanager
def alone(root: Path) -> Iterator[None]:
    """Let only one process install at a time."""
    # A module of Unix only, like the servers that the installation runs.
    import fcntl  # noqa: PLC0415

    with (root / "requirements.lock").open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def install(root: Path) -> None:
    """Make `.venv` and fill it from the lock file."""
    environment = root / ".venv"
    python = environment / "bin" / "python"
    lock = str(root / "requirements.lock")
    uv = shutil.which("uv")
    if uv:
        if not python.exists():
            run(uv, "venv", "--quiet", "--python", sys.executable, str(environment))
        run(uv, "pip", "install", "--quiet", "--python", str(python), "--require-hashes", "-r", lock)
    else:
        if importlib.util.find_spec("ensurepip") is None:
            give_up("Python's venv is missing here. On Debian or Ubuntu: apt-get install -y python3-venv")
        if not python.exists():
            run(sys.executable, "-m", "venv", str(environment))
        pip = [str(python), "-m", "pip", "--disable-pip-version-check", "install", "-qq"]
        run(*pip, "--require-hashes", "-r", lock)
    (environment / STAMP).write_text(fingerprint(root), encoding="ascii")


def run(*command: str) -> None:
    """Say what is run, run it, and end with its exit code when it fails."""
    say(" ".join(command))
    code = subprocess.run(command, check=False).returncode  # noqa: S603 - our own arguments
    if code:
        give_up(f"This command failed with exit code {code}.")


def start_again(root: Path) -> NoReturn:
    """Replace this process by the same command inside `.venv`."""
    python = str(root / ".venv" / "bin" / "python")
    os.environ[LOOP_GUARD] = "1"
    sys.stderr.flush()
    os.execv(python, [python, *sys.argv])  # noqa: S606 - the same command again


def say(words: str) -> None:
    """Tell the person at the terminal."""
    sys.stderr.write(f"[set-up] {words}\n")


def give_up(words: str) -> NoReturn:
    """Say why and end the process."""
    say(words)
    raise SystemExit(2)
