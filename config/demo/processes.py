"""Run several processes in one terminal and stop them together."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from types import FrameType
from typing import IO

STOP_SECONDS = 12
LOOK_SECONDS = 0.5


@dataclass
class ProcessGroup:
    """Processes that live and die together; each line they write gets the name of its process."""

    environment: Mapping[str, str]
    processes: dict[str, subprocess.Popen[str]] = field(default_factory=dict)
    threads: list[threading.Thread] = field(default_factory=list)
    is_stopping: bool = False

    def start(self, name: str, command: list[str]) -> None:
        """Start a process out of reach of the terminal's Ctrl-C, so that only we decide when it ends."""
        process = subprocess.Popen(  # noqa: S603 - our own commands
            command,
            env=dict(self.environment),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        self.processes[name] = process
        thread = threading.Thread(target=pump, args=(name, process.stdout), daemon=True)
        thread.start()
        self.threads.append(thread)

    def run(self, *, until: Callable[[], int | None] = lambda: None) -> int:
        """Wait until one process ends, `until` returns an exit code, or we are asked to stop.

        Stops all of them and returns the exit code: 0 when asked to stop, 1 when a process died by itself.
        """
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self.ask_to_stop)
        code = None
        while code is None and not self.is_stopping:
            time.sleep(LOOK_SECONDS)
            code = self.code_of_the_dead()
            if code is None:
                code = until()
        self.stop()
        return code or 0

    def ask_to_stop(self, number: int, frame: FrameType | None) -> None:
        """Remember that a signal asked us to stop."""
        self.is_stopping = True

    def code_of_the_dead(self) -> int | None:
        """Return 1 and say so when a process has ended by itself."""
        for name, process in self.processes.items():
            if process.poll() is not None:
                sys.stdout.write(f"{name} ended with exit code {process.returncode}; stopping.\n")
                return 1
        return None

    def stop(self) -> None:
        """Ask the main processes to end, wait for their work, then kill what is left with its children."""
        for process in self.processes.values():
            process.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        for process in self.processes.values():
            with suppress(subprocess.TimeoutExpired):
                process.wait(timeout=max(0.1, deadline - time.monotonic()))
        for process in self.processes.values():
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        for thread in self.threads:
            thread.join(timeout=1)


def pump(name: str, stream: IO[str]) -> None:
    """Copy the lines of one process to the terminal, each with the name in front."""
    with stream:
        for line in stream:
            sys.stdout.write(f"{name:<9} | {line}")
            sys.stdout.flush()
