"""The checks of the code that do not run it: style, types, imports, migrations, translations."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.static

ROOT = Path(__file__).resolve().parent.parent.parent
TOOLS = Path(sys.executable).parent
ON_SQLITE = {**os.environ, "TESTING": "true", "DATABASE_URL": ""}


def assert_clean(*command: str) -> None:
    """Run a tool and show what it says when it complains."""
    result = subprocess.run(command, cwd=ROOT, env=ON_SQLITE, capture_output=True, text=True, check=False)
    if result.returncode:
        pytest.fail(f"{' '.join(command)}\n{result.stdout}{result.stderr}", pytrace=False)


def test_ruff_finds_nothing():
    assert_clean(str(TOOLS / "ruff"), "check", "--quiet", ".")


def test_the_code_is_formatted():
    assert_clean(str(TOOLS / "ruff"), "format", "--check", "--quiet", ".")


def test_mypy_finds_nothing():
    assert_clean(str(TOOLS / "mypy"), "--no-error-summary")


def test_imports_point_down():
    assert_clean(str(TOOLS / "lint-imports"), "--no-cache")


def test_no_migration_is_missing():
    assert_clean(sys.executable, "manage.py", "makemigrations", "--check", "--dry-run")


def test_every_text_is_translated():
    assert_clean(sys.executable, "manage.py", "check_translations")


def test_production_settings_pass_the_deployment_check():
    production = {
        "TESTING": "",
        "SECRET_KEY": "".join(map(chr, range(48, 112))),
        "ALLOWED_HOSTS": "club.example.com",
        "SITE_URL": "https://club.example.com",
        "EMAIL_URL": "smtp://mail.example.com",
    }
    command = [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"]
    result = subprocess.run(command, cwd=ROOT, env=ON_SQLITE | production, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
