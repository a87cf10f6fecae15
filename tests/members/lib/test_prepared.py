"""Prepared statements sent without a cursor: what they return and how they fail."""

from datetime import UTC, datetime

import pytest
from django.db import DataError, IntegrityError, ProgrammingError, connection, transaction
from django.test.utils import CaptureQueriesContext

from members.lib.prepared import array_of, array_of_texts, fetch_prepared

MAKE_STORE = """
INSERT INTO members_store (code, name, zone, is_active) VALUES ($1::text, $1::text, '', true) RETURNING code
"""
TEXTS = [
    "",
    "plain",
    'a "quoted" word',
    "back\\slash",
    '"',
    "{a,b}",
    "null",
    "NULL",
    "烏龍茶",
    "two\nlines\t",
    "a','b",
    '","',
]


@pytest.mark.postgres
@pytest.mark.django_db
class TestArrays:
    """What is written as an array is read back."""

    @pytest.mark.parametrize("texts", [[], *[[text] for text in TEXTS], TEXTS])
    def test_texts(self, texts):
        assert fetch_prepared("SELECT $1::text[]", [array_of_texts(texts)]) == [(texts,)]

    @pytest.mark.parametrize(
        ("kind", "values"),
        [
            ("bigint", []),
            ("bigint", [1, None, -(2**62)]),
            ("boolean", [True, False, None]),
            ("timestamptz", [datetime(2026, 6, 15, 12, 0, 0, 123456, tzinfo=UTC), None]),
        ],
    )
    def test_numbers_truth_values_and_instants(self, kind, values):
        assert fetch_prepared(f"SELECT $1::{kind}[]", [array_of(values)]) == [(values,)]


@pytest.mark.postgres
@pytest.mark.django_db
def test_nothing_is_null_and_a_nul_is_refused_rather_than_cut_off():
    assert fetch_prepared("SELECT $1::text, $2::text", [None, "x"]) == [(None, "x")]
    with pytest.raises(DataError):
        fetch_prepared("SELECT $1::text", ["cut\0off"])


@pytest.mark.postgres
@pytest.mark.django_db
def test_who_counts_statements_sees_them():
    with CaptureQueriesContext(connection) as queries:
        assert fetch_prepared("SELECT $1::int + 1", ["1"]) == [(2,)]
    assert len(queries) == 1


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_the_first_statement_of_a_transaction_is_undone_with_it():
    with transaction.atomic():
        assert fetch_prepared(MAKE_STORE, ["gone"]) == [("gone",)]
        transaction.set_rollback(True)
    assert fetch_prepared("SELECT count(*) FROM members_store WHERE code = $1", ["gone"]) == [(0,)]


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_broken_transaction_is_not_used_and_the_failure_is_djangos():
    fetch_prepared(MAKE_STORE, ["twice"])
    with pytest.raises(IntegrityError) as refused:
        fetch_prepared(MAKE_STORE, ["twice"])
    assert refused.value.__cause__.sqlstate == "23505"
    with transaction.atomic():
        transaction.set_rollback(True)
        with pytest.raises(transaction.TransactionManagementError):
            fetch_prepared("SELECT $1::int", ["1"])


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_statements_that_somebody_dropped_are_prepared_anew():
    fetch_prepared("SELECT $1::int", ["1"])
    with connection.cursor() as cursor:
        cursor.execute("DEALLOCATE ALL")
    with pytest.raises(ProgrammingError):
        fetch_prepared("SELECT $1::int", ["2"])
    assert fetch_prepared("SELECT $1::int", ["3"]) == [(3,)]
