#!/usr/bin/env python3
"""Run a command of the site; on a bare machine, set up its dependencies first."""

import os
import sys
from pathlib import Path

from config import bootstrap

ROOT = Path(__file__).resolve().parent


def main() -> None:
    """Run the command that the arguments name.

    A checkout that nobody has configured is the demonstration on this machine.
    """
    bootstrap.ensure_dependencies(ROOT)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    is_configured = {"SECRET_KEY", "TESTING", "DEBUG"} & os.environ.keys() or (ROOT / ".env").exists()
    if not is_configured:
        os.environ.setdefault("DEMO", "true")

    from django.core.management import execute_from_command_line  # noqa: PLC0415 - exists after the set-up

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
