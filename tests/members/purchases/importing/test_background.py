"""Posting beside reading."""

import threading
import time

import pytest
from django.db import connection

from members.purchases.importing.background import in_background


class Refused(Exception):
    """The post that fails."""


def double(number):
    if number == 3:
        raise Refused
    return number * 2, threading.current_thread()


@pytest.mark.django_db
def test_inside_a_transaction_batches_are_posted_by_the_caller():
    here = threading.current_thread()
    posted = list(in_background(double, [(1, 5), (2, 6)], lanes=2))
    assert posted == [(number, (number * 2, here)) for number in (1, 5, 2, 6)]


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_each_lane_is_a_thread_of_its_own_that_posts_its_parts_in_their_order():
    orders = {}

    def keep(number):
        orders.setdefault(threading.current_thread(), []).append(number)
        return number * 2

    posted = list(in_background(keep, [(4, 5), (1, 6), (2, 8), (7, 9)], lanes=2))
    assert posted == [(number, number * 2) for number in (4, 5, 1, 6, 2, 8, 7, 9)]
    assert sorted(orders.values()) == [[4, 1, 2, 7], [5, 6, 8, 9]]
    assert threading.current_thread() not in orders


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_every_lane_closes_its_connection_and_the_caller_keeps_his():
    opened = {}

    def ask(_number):
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            opened[threading.current_thread()] = cursor.fetchone()[0]

    mine = connection.connection
    list(in_background(ask, [(1, 2), (3, 4)], lanes=2))
    assert connection.connection is mine
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        assert cursor.fetchone()[0] not in opened.values()
        deadline = time.monotonic() + 10
        while True:
            cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE pid = ANY(%s)", [list(opened.values())])
            if cursor.fetchone()[0] == 0:
                break
            assert time.monotonic() < deadline
            time.sleep(0.02)
    assert len(opened) == 2


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("lane", [0, 1])
def test_an_error_comes_out_at_its_part_and_stops_the_reading(lane):
    read, posted = [], []

    def batches():
        for number in range(1, 100):
            read.append(number)
            yield (number, 0) if lane == 0 else (0, number)

    results = in_background(double, batches(), lanes=2)
    with pytest.raises(Refused):
        posted.extend(number for number, _result in results)
    assert [number for number in posted if number] == [1, 2]
    assert len(read) <= 5
