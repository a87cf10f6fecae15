"""The pytest plugin that prepares the environment before the settings are read.

`pytest` runs on a SQLite file; `pytest --database=postgres` on a PostgreSQL of DATABASE_URL or a private one.
Tests that need a server this machine lacks are left out, counted and named at the end; with CI=true that is a
failure.
"""

import atexit
import json
import os
import secrets
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.harness.servers import Server, ServerMissing, start_postgres, start_redis

MISSING = pytest.StashKey[dict[str, str]]()
READY = "TEST_SERVERS_READY"
PRIVATE_POSTGRES = "TEST_PRIVATE_POSTGRES"
DATABASES_OF_ONE_WORKER = 2
FONT_FOLDERS = ("/usr/share/fonts", "/usr/local/share/fonts")
NOT_PASSED = ("failed", "error", "skipped", "xfailed", "xpassed")
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the choice of the database, and the results that one run hands to the next."""
    group = parser.getgroup("loyalty")
    group.addoption(
        "--database",
        choices=["sqlite", "postgres", "available"],
        default=os.environ.get("TEST_DATABASE", "sqlite"),
        help="run on a SQLite file (default), on PostgreSQL, or on PostgreSQL when it is installed",
    )
    group.addoption("--keep-results", metavar="FILE", help="write the results of this run to a file")
    group.addoption("--add-results", metavar="FILE", help="count the results of an earlier run in the summary")


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Start the servers once, in the process that the others come from, and name them in the environment."""
    early_config.stash[MISSING] = {}
    os.environ["TESTING"] = "true"
    if READY not in os.environ:
        prepare(early_config, early_config.known_args_namespace.database)
    early_config.stash[MISSING] = dict(pair.split(":", 1) for pair in os.environ[READY].split(",") if ":" in pair)
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    if worker:
        separate_worker(early_config, int(worker.removeprefix("gw")) + 1)


def prepare(config: pytest.Config, database: str) -> None:
    """Make the temporary folder of this run and start what it needs."""
    folder = Path(tempfile.mkdtemp(prefix="loyalty-tests-"))
    folder.chmod(0o755)
    atexit.register(remove_folder, folder, os.getpid())
    os.environ["TEST_FOLDER"] = str(folder)
    os.environ["DATA_DIR"] = str(folder / "data")
    # One secret for all parallel workers, which must collect the same tests.
    os.environ["SECRET_KEY"] = secrets.token_urlsafe(64)
    (folder / "data").mkdir()
    missing: dict[str, str] = {}
    choose_database(config, database, folder, missing)
    if not os.environ.get("REDIS_URL"):
        start(config, "redis", "REDIS_URL", missing, lambda: start_redis(folder / "redis"))
    os.environ["TEST_REDIS_URL"] = os.environ.pop("REDIS_URL", "")
    if shutil.which("msgfmt") is None:
        missing["gettext"] = "gettext"
    if find_chromium() is None:
        missing["browser"] = "chromium fonts-noto-cjk"
    elif not has_chinese_fonts():
        missing["browser"] = "fonts-noto-cjk"
    os.environ[READY] = ",".join(["yes", *(f"{mark}:{package}" for mark, package in missing.items())])


def choose_database(config: pytest.Config, database: str, folder: Path, missing: dict[str, str]) -> None:
    """Set DATABASE_URL for the wanted database."""
    if database == "sqlite":
        os.environ["DATABASE_URL"] = ""
        return
    if os.environ.get("DATABASE_URL", "").startswith("postgres"):
        return
    durable = os.environ.get("FAULT") == "1"
    start(config, "postgres", "DATABASE_URL", missing, lambda: start_postgres(folder / "pg", durable=durable))
    if "postgres" not in missing:
        os.environ[PRIVATE_POSTGRES] = "yes"
    if "postgres" in missing and database == "postgres":
        raise pytest.UsageError(f"PostgreSQL is missing: apt-get install -y {missing['postgres']}")


def start(config: pytest.Config, mark: str, name: str, missing: dict[str, str], starter: Callable[[], Server]) -> None:
    """Start a server and put its address into the environment, or note the package it lacks."""
    try:
        server = starter()
    except ServerMissing as absent:
        missing[mark] = str(absent)
        return
    os.environ[name] = server.url
    config.add_cleanup(server.stop)


def separate_worker(config: pytest.Config, number: int) -> None:
    """Give a parallel worker its own data folder, Redis databases and, where it is a private one, PostgreSQL.

    Readers of the event log wait for the oldest transaction of the whole server: another worker's would hold them up.
    """
    folder = Path(os.environ["TEST_FOLDER"], f"data-{number}")
    folder.mkdir(exist_ok=True)
    os.environ["DATA_DIR"] = str(folder)
    if PRIVATE_POSTGRES in os.environ:
        durable = os.environ.get("FAULT") == "1"
        place = Path(os.environ["TEST_FOLDER"], f"pg-{number}")
        start(config, "postgres", "DATABASE_URL", {}, lambda: start_postgres(place, durable=durable))
    if os.environ["TEST_REDIS_URL"]:
        os.environ["TEST_REDIS_URL"] = redis_database(os.environ["TEST_REDIS_URL"], number)


def redis_database(url: str, number: int) -> str:
    """Return the address of the databases that belong to one worker."""
    database = number * DATABASES_OF_ONE_WORKER
    parts = urlsplit(url)
    if parts.scheme == "unix":
        return parts._replace(query=f"db={database}").geturl()
    return parts._replace(path=f"/{database}").geturl()


def remove_folder(folder: Path, owner: int) -> None:
    """Remove the folder of the run, in the process that made it."""
    if os.getpid() == owner:
        shutil.rmtree(folder, ignore_errors=True)


def find_chromium() -> str | None:
    """Return the path of the browser, or None."""
    return next((path for name in CHROMIUM_NAMES if (path := shutil.which(name))), None)


def has_chinese_fonts() -> bool:
    """Tell whether a page in Chinese would show characters instead of boxes."""
    return any(any(Path(folder).rglob("*CJK*")) for folder in FONT_FOLDERS)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what cannot run here: tests of PostgreSQL on SQLite, and tests whose server is missing."""
    missing = config.stash[MISSING]
    if config.getoption("database") == "sqlite":
        left = [item for item in items if item.get_closest_marker("postgres")]
        config.hook.pytest_deselected(items=left)
        items[:] = [item for item in items if item not in left]
    for item in items:
        for mark, package in missing.items():
            if item.get_closest_marker(mark):
                item.add_marker(pytest.mark.skip(reason=f"apt-get install -y {package}"))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, exitstatus: int, config: pytest.Config) -> None:
    """Hand results from run to run, and say in one line what was left out and how to install it."""
    if path := config.getoption("keep_results"):
        keep_results(Path(path), terminalreporter.stats, exitstatus, config)
    if path := config.getoption("add_results"):
        add_results(Path(path), terminalreporter.stats, config)
    missing = config.stash[MISSING]
    if missing:
        count = len(terminalreporter.stats.get("skipped", []))
        packages = " ".join(sorted(set(" ".join(missing.values()).split())))
        line = f"LEFT OUT: {count} tests need what is missing here: apt-get install -y {packages}"
        terminalreporter.write_line(line, red=True)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail when an earlier run failed, and in CI when tests were left out."""
    if hasattr(session.config, "workerinput"):
        return
    earlier = session.config.getoption("add_results")
    has_failed = earlier and status_of(Path(earlier)) not in {
        pytest.ExitCode.OK,
        pytest.ExitCode.NO_TESTS_COLLECTED,
    }
    is_incomplete = session.config.stash[MISSING] and os.environ.get("CI") == "true"
    if (has_failed or is_incomplete) and session.exitstatus == 0:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def keep_results(path: Path, stats: dict[str, list[pytest.TestReport]], exitstatus: int, config: pytest.Config) -> None:
    """Write how many passed, and the whole reports of the others."""
    serialize = config.hook.pytest_report_to_serializable
    others = {word: stats.get(word, []) for word in NOT_PASSED}
    results = {
        "status": int(exitstatus),
        "passed": len(stats.get("passed", [])),
        "others": {word: [serialize(config=config, report=one) for one in some] for word, some in others.items()},
    }
    # Parallel runs put the worker into the report, which is of no use to another run.
    path.write_text(json.dumps(results, default=lambda worker: None), encoding="utf-8")


def add_results(path: Path, stats: dict[str, list[pytest.TestReport]], config: pytest.Config) -> None:
    """Add the results of an earlier run to those of this one."""
    if status_of(path) is None:
        return
    results = json.loads(path.read_text(encoding="utf-8"))
    deserialize = config.hook.pytest_report_from_serializable
    for word, reports in results["others"].items():
        stats.setdefault(word, []).extend(deserialize(config=config, data=one) for one in reports)
    passed = pytest.TestReport("earlier run", ("", None, ""), {}, "passed", None, "call")
    stats.setdefault("passed", []).extend([passed] * results["passed"])
    for word in [word for word, reports in stats.items() if not reports]:
        del stats[word]


def status_of(path: Path) -> int | None:
    """Return the exit status of an earlier run, None when it did not come to its end."""
    return int(json.loads(path.read_text(encoding="utf-8"))["status"]) if path.exists() else None
