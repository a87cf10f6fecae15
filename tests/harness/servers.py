"""Private PostgreSQL and Redis servers that live as long as the test run.

They are started from installed binaries in a temporary folder, listen on a unix socket only, never as root,
and die with the process that started them, even when it is killed.
"""

import ctypes
import os
import pwd
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

PR_SET_PDEATHSIG = 1
STARTUP_SECONDS = 30
VERSIONED_POSTGRES = Path("/usr/lib/postgresql")
UNSAFE_AND_FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}

POSTGRES_MISSING = "postgresql"
REDIS_MISSING = "redis-server"


class ServerMissing(Exception):
    """The programs of a server are not installed; the text is the name of the system package."""


class ServerFailed(Exception):
    """A server did not start; the text is the end of its log."""


@dataclass
class Server:
    """A running server: its address and how to stop it."""

    url: str
    process: subprocess.Popen[bytes]
    stop_signal: signal.Signals = signal.SIGTERM
    folder: Path = field(default_factory=Path)

    def stop(self) -> None:
        """Stop the server and wait until it has gone."""
        self.process.send_signal(self.stop_signal)
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def start_postgres(folder: Path, *, durable: bool, settings: Mapping[str, str] | None = None) -> Server:
    """Start a private PostgreSQL in `folder`; `durable` keeps fsync on, for tests that kill it.

    `settings` are further ones of the server. Raises ServerMissing without binaries, ServerFailed without an answer.
    """
    binaries = postgres_binaries()
    folder.mkdir(parents=True)
    account = unprivileged_account(folder)
    data, sockets = folder / "data", folder / "s"
    sockets.mkdir()
    give_to(account, sockets)
    initdb = [
        "initdb",
        "-D",
        str(data),
        "-U",
        "test",
        "-A",
        "trust",
        "-E",
        "UTF8",
        "--no-locale",
        "--no-sync",
    ]
    run_as(account, [str(binaries / "initdb"), *initdb[1:]])
    options = {"listen_addresses": "", "unix_socket_directories": str(sockets), "max_connections": "120"}
    options |= {} if durable else UNSAFE_AND_FAST
    options |= settings or {}
    flags = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
    process = launch(account, [str(binaries / "postgres"), "-D", str(data), *flags], folder / "log")
    ready = [str(binaries / "pg_isready"), "-q", "-h", str(sockets), "-U", "test", "-d", "postgres"]
    wait_until(lambda: run_quietly(ready) == 0, process, folder / "log")
    url = f"postgres://test@/postgres?host={sockets}"
    return Server(url, process, stop_signal=signal.SIGINT, folder=folder)


def start_redis(folder: Path) -> Server:
    """Start a private Redis in `folder`. Raises ServerMissing or ServerFailed."""
    binary = shutil.which("redis-server") or shutil.which("valkey-server")
    if binary is None:
        raise ServerMissing(REDIS_MISSING)
    folder.mkdir(parents=True)
    account = unprivileged_account(folder)
    socket = folder / "redis.sock"
    flags = [
        "--port",
        "0",
        "--unixsocket",
        str(socket),
        "--dir",
        str(folder),
        "--save",
        "",
        "--databases",
        "64",
    ]
    process = launch(account, [binary, *flags], folder / "log")
    wait_until(socket.exists, process, folder / "log")
    return Server(f"unix://{socket}", process, folder=folder)


def postgres_binaries() -> Path:
    """Return the folder with the newest initdb and postgres; raise ServerMissing when there is none."""
    versioned = sorted(VERSIONED_POSTGRES.glob("*/bin"), key=lambda path: float(path.parent.name), reverse=True)
    on_path = shutil.which("initdb")
    folders = ([Path(on_path).resolve().parent] if on_path else []) + versioned
    for folder in folders:
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    raise ServerMissing(POSTGRES_MISSING)


def unprivileged_account(folder: Path) -> pwd.struct_passwd | None:
    """Return whom a server runs as when we are root, and give them `folder`; None when we are not."""
    if os.getuid() != 0:
        return None
    names = {entry.pw_name: entry for entry in pwd.getpwall()}
    account = names.get("postgres") or names["nobody"]
    give_to(account, folder)
    return account


def give_to(account: pwd.struct_passwd | None, path: Path) -> None:
    """Make `path` belong to the account."""
    if account is not None:
        os.chown(path, account.pw_uid, account.pw_gid)


def run_as(account: pwd.struct_passwd | None, command: Sequence[str]) -> None:
    """Run a command as the account and wait; raise ServerFailed with its words when it fails."""
    result = subprocess.run(command, capture_output=True, check=False, text=True, cwd="/", preexec_fn=dropping(account))
    if result.returncode:
        raise ServerFailed(result.stderr)


def launch(account: pwd.struct_passwd | None, command: Sequence[str], log: Path) -> subprocess.Popen[bytes]:
    """Start a server that ends when this process ends, however it ends."""
    with log.open("wb") as output:
        return subprocess.Popen(
            command,
            stdout=output,
            stderr=output,
            cwd="/",
            preexec_fn=dropping(account),
            start_new_session=True,
        )


def dropping(account: pwd.struct_passwd | None) -> Callable[[], None]:
    """Return what a child does before it becomes the server: drop root, and ask to die with its parent."""
    libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None

    def prepare() -> None:
        if account is not None:
            os.setgroups([])
            os.setgid(account.pw_gid)
            os.setuid(account.pw_uid)
        # After the change of user: the kernel forgets the wish when the user changes.
        if libc is not None:
            libc.prctl(PR_SET_PDEATHSIG, signal.SIGINT)

    return prepare


def wait_until(is_ready: Callable[[], bool], process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until the server answers; raise ServerFailed when it ends or takes too long."""
    deadline = time.monotonic() + STARTUP_SECONDS
    while not is_ready():
        if process.poll() is not None or time.monotonic() > deadline:
            with suppress(ProcessLookupError):
                process.kill()
            raise ServerFailed(log.read_text(errors="replace")[-2000:])
        time.sleep(0.05)


def run_quietly(command: Sequence[str]) -> int:
    """Return the exit code of a command whose words do not matter."""
    return subprocess.run(command, capture_output=True, check=False).returncode
