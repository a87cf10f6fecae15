"""The readers of the environment."""

from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from config.env import (
    Environment,
    database_settings,
    email_settings,
    read_dotenv,
    redis_addresses,
)


def read(**values: str) -> Environment:
    return Environment(values)


@pytest.mark.parametrize("word", ["1", "true", "Yes", " ON "])
def test_words_for_true(word):
    assert read(DEBUG=word).boolean("DEBUG", default=False) is True


@pytest.mark.parametrize("word", ["0", "false", "No", "off"])
def test_words_for_false(word):
    assert read(DEBUG=word).boolean("DEBUG", default=True) is False


def test_an_empty_boolean_is_the_default():
    assert read(DEBUG="").boolean("DEBUG", default=True) is True


@pytest.mark.parametrize("word", ["maybe", "2", "truee", "None"])
def test_a_boolean_refuses_any_other_word(word):
    with pytest.raises(ImproperlyConfigured, match="DEBUG must be true or false"):
        read(DEBUG=word).boolean("DEBUG", default=False)


@pytest.mark.parametrize("word", ["many", "1.5", "0", "65", "-3"])
def test_an_integer_refuses_nonsense_and_what_is_out_of_bounds(word):
    with pytest.raises(ImproperlyConfigured, match="WEB_WORKERS"):
        read(WEB_WORKERS=word).integer("WEB_WORKERS", 1, at_least=1, at_most=64)


def test_an_integer_is_read():
    assert read(WEB_WORKERS="4").integer("WEB_WORKERS", 1, at_least=1) == 4


def test_words_are_split_at_commas_and_stripped():
    assert read(ALLOWED_HOSTS="a.example.com, b.example.com,,").words("ALLOWED_HOSTS") == [
        "a.example.com",
        "b.example.com",
    ]


def test_a_choice_refuses_an_unknown_word():
    with pytest.raises(ImproperlyConfigured, match="LOG_LEVEL must be one of DEBUG, INFO"):
        read(LOG_LEVEL="LOUD").choice("LOG_LEVEL", "INFO", among={"INFO", "DEBUG"})


@pytest.mark.parametrize("text", ["ftp://files.example.com", "example.com", "http://host:port"])
def test_an_address_refuses_another_scheme(text):
    with pytest.raises(ImproperlyConfigured, match="SITE_URL"):
        read(SITE_URL=text).address("SITE_URL", schemes={"http", "https"})


def test_a_folder_is_absolute():
    assert read(DATA_DIR="var").folder("DATA_DIR", Path("/x")) == Path("var").absolute()


def test_a_dotenv_file_is_read_and_the_environment_wins(tmp_path, monkeypatch):
    file = tmp_path / ".env"
    file.write_text("# a comment\nSITE_URL='https://club.example.com'\n\nLOG_LEVEL = DEBUG\n", encoding="utf-8")
    monkeypatch.setenv("LOG_LEVEL", "ERROR")
    env = Environment.of_process(file)
    assert env.text("SITE_URL") == "https://club.example.com"
    assert env.text("LOG_LEVEL") == "ERROR"
    assert read_dotenv(tmp_path / "none") == {}


def test_the_default_database_is_a_file_in_the_data_folder(tmp_path):
    settings = database_settings("", pool=0, statement_seconds=15, data_dir=tmp_path)
    assert settings["NAME"] == str(tmp_path / "db.sqlite3")
    assert settings["OPTIONS"]["transaction_mode"] == "IMMEDIATE"
    assert "synchronous=FULL" in settings["OPTIONS"]["init_command"]


def test_a_sqlite_address_names_a_file():
    assert (
        database_settings("sqlite:////tmp/a%20b.sqlite3", pool=0, statement_seconds=15, data_dir=Path())["NAME"]
        == "/tmp/a b.sqlite3"
    )
    relative = database_settings("sqlite:///shop.sqlite3", pool=0, statement_seconds=15, data_dir=Path())["NAME"]
    assert relative == str(Path("shop.sqlite3").absolute())


def test_a_postgres_address_becomes_persistent_connections_with_time_limits():
    settings = database_settings("postgres://joe:p%40ss@db:5433/shop", pool=0, statement_seconds=15, data_dir=Path())
    assert (settings["USER"], settings["PASSWORD"], settings["HOST"]) == ("joe", "p@ss", "db")
    assert (settings["NAME"], settings["PORT"], settings["CONN_MAX_AGE"]) == ("shop", "5433", 600)
    assert "lock_timeout=3s" in settings["OPTIONS"]["options"]
    assert "statement_timeout=15s" in settings["OPTIONS"]["options"]
    assert "ATOMIC_REQUESTS" not in settings


def test_a_postgres_pool_replaces_persistent_connections():
    settings = database_settings(
        "postgres://joe@/shop?host=/run/pg&sslmode=require", pool=5, statement_seconds=15, data_dir=Path()
    )
    assert settings["HOST"] == "/run/pg"
    assert settings["CONN_MAX_AGE"] == 0
    assert settings["OPTIONS"]["pool"]["max_size"] == 5
    assert settings["OPTIONS"]["sslmode"] == "require"


@pytest.mark.parametrize("url", ["mysql://host/shop", "shop.sqlite3"])
def test_another_database_is_refused(url):
    with pytest.raises(ImproperlyConfigured, match="DATABASE_URL"):
        database_settings(url, pool=0, statement_seconds=15, data_dir=Path())


def test_mail_to_a_folder_to_a_server_and_over_tls():
    assert email_settings("file:/tmp/mail").folder == "/tmp/mail"
    plain = email_settings("smtp://joe:secret@mail.example.com:2525")
    assert (plain.host, plain.port, plain.user, plain.password) == ("mail.example.com", 2525, "joe", "secret")
    assert email_settings("smtp+tls://mail.example.com").port == 587
    assert email_settings("console:").backend.endswith("console.EmailBackend")


@pytest.mark.parametrize("url", ["smtp://", "imap://mail.example.com", "nonsense"])
def test_mail_to_nowhere_is_refused(url):
    with pytest.raises(ImproperlyConfigured, match="EMAIL_URL"):
        email_settings(url)


def test_the_cache_never_shares_a_redis_database_with_the_broker():
    assert redis_addresses("redis://host:6379/2") == ("redis://host:6379/2", "redis://host:6379/3")
    assert redis_addresses("unix:///run/r.sock") == (
        "redis+socket:///run/r.sock?virtual_host=0",
        "unix:///run/r.sock?db=1",
    )
    with pytest.raises(ImproperlyConfigured, match="REDIS_URL"):
        redis_addresses("memcached://host")
