"""The settings of a test run, for tools that read them outside pytest."""

import os

os.environ.setdefault("TESTING", "true")

from config.settings import *  # noqa: F403
