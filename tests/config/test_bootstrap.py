"""The set-up of a bare machine."""

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from config import bootstrap

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture
def root(tmp_path):
    (tmp_path / "requirements.lock").write_text("django==0.1 \\\n    --hash=sha256:00\n", encoding="utf-8")
    return tmp_path


def test_an_interpreter_with_the_locked_versions_is_ready():
    assert bootstrap.has_locked_version("django", ROOT)
    assert bootstrap.has_locked_version("celery", ROOT)


def test_an_interpreter_with_another_version_is_not_ready(root):
    assert not bootstrap.is_ready(root)
    assert not bootstrap.has_locked_version("no-such-package", root)


def test_a_finished_installation_is_complete_until_the_lock_file_changes(root):
    (root / ".venv").mkdir()
    (root / ".venv" / bootstrap.STAMP).write_text(bootstrap.fingerprint(root), encoding="ascii")
    assert bootstrap.is_complete(root)
    (root / "requirements.lock").write_text("django==0.2\n", encoding="utf-8")
    assert not bootstrap.is_complete(root)


def test_it_gives_up_instead_of_installing_for_ever(root, monkeypatch, capsys):
    monkeypatch.setenv(bootstrap.LOOP_GUARD, "1")
    monkeypatch.delenv("NO_BOOTSTRAP", raising=False)
    with pytest.raises(SystemExit, match="2"):
        bootstrap.ensure_dependencies(root)
    assert "remove it and try again" in capsys.readouterr().err


def test_it_can_be_switched_off(root, monkeypatch):
    monkeypatch.setenv("NO_BOOTSTRAP", "1")
    bootstrap.ensure_dependencies(root)


def test_an_old_python_is_refused(root, monkeypatch, capsys):
    monkeypatch.setattr(bootstrap, "OLDEST_PYTHON", (99, 0))
    with pytest.raises(SystemExit, match="2"):
        bootstrap.ensure_dependencies(root)
    assert "Python 99.0 or newer is needed" in capsys.readouterr().err


def test_a_missing_venv_module_is_named_with_its_package(root, monkeypatch, capsys):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(SystemExit, match="2"):
        bootstrap.install(root)
    assert "apt-get install -y python3-venv" in capsys.readouterr().err


def test_it_makes_an_environment_and_starts_the_same_command_inside(root, tmp_path):
    """With an empty lock file and the real venv: nothing is downloaded, everything else is real."""
    (root / "requirements.lock").write_text("", encoding="utf-8")
    script = tmp_path / "run.py"
    script.write_text(
        "import sys, pathlib\n"
        f"sys.path.insert(0, {str(ROOT)!r})\n"
        "from config import bootstrap\n"
        "bootstrap.ensure_dependencies(pathlib.Path(__file__).parent)\n"
        "print(sys.prefix, sys.argv[1:])\n",
        encoding="utf-8",
    )
    hidden = ("NO_BOOTSTRAP", bootstrap.LOOP_GUARD)
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    result = subprocess.run(
        [sys.executable, str(script), "hello"], env=environment, capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == f"{root / '.venv'} ['hello']"
    assert result.stderr.startswith("[set-up] ")
