"""A run says what it left out, fails in CI for it, and counts what an earlier run found."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
INHERITED = {"TEST_SERVERS_READY", "PYTEST_XDIST_WORKER", "PYTEST_CURRENT_TEST", "PYTEST_ADDOPTS", "CI", "DATABASE_URL"}


def run_pytest(*arguments: str, **changes: str) -> subprocess.CompletedProcess[str]:
    """Run pytest by itself, with this project's settings and no test of this project."""
    environment = {name: value for name, value in os.environ.items() if name not in INHERITED}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", "pyproject.toml", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment | changes, capture_output=True, text=True, check=False)


@pytest.fixture
def tests(tmp_path):
    """Return the files of a tiny suite: one that passes, one that fails, one that needs Redis."""
    texts = {
        "good": "def test_good(): pass",
        "bad": "def test_bad(): assert 1 == 2",
        "redis": "import pytest\n@pytest.mark.redis\ndef test_redis(): pass",
    }
    for name, text in texts.items():
        (tmp_path / f"test_{name}.py").write_text(text, encoding="utf-8")
    return {name: str(tmp_path / f"test_{name}.py") for name in texts}


def test_what_is_missing_is_counted_and_named(tests):
    result = run_pytest(tests["good"], tests["redis"], PATH="/nowhere")
    assert result.returncode == 0
    assert "LEFT OUT: 1 tests need what is missing here: apt-get install -y chromium fonts-noto-cjk" in result.stdout
    assert "redis-server" in result.stdout
    assert "1 passed, 1 skipped" in result.stdout.splitlines()[-1]


def test_what_is_missing_fails_in_ci(tests):
    assert run_pytest(tests["good"], PATH="/nowhere", CI="true").returncode == 1


def test_the_second_summary_counts_the_first_run(tests, tmp_path):
    notes = str(tmp_path / "notes.json")
    assert run_pytest(tests["good"], tests["bad"], f"--keep-results={notes}").returncode == 1
    result = run_pytest(tests["good"], f"--add-results={notes}")
    assert result.returncode == 1
    assert "1 failed, 2 passed" in result.stdout.splitlines()[-1]
    assert "test_bad" in result.stdout


def test_a_first_run_that_broke_off_fails_the_second(tests, tmp_path):
    assert run_pytest(tests["good"], f"--add-results={tmp_path / 'none.json'}").returncode == 1
