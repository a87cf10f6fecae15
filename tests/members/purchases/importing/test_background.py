"""Posting beside reading."""

import threading

import pytest

from members.purchases.importing.background import in_background


class Refused(Exception):
    """The post that fails."""


def double(number):
    if number == 3:
        raise Refused
    return number * 2, threading.current_thread()


@pytest.mark.django_db
def test_inside_a_transaction_batches_are_posted_by_the_caller():
    assert list(in_background(double, [1, 2])) == [(n, (n * 2, threading.current_thread())) for n in (1, 2)]


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_one_other_thread_posts_the_batches_in_their_order():
    posted = list(in_background(double, [4, 1, 2, 7]))
    assert [(number, twice) for number, (twice, _thread) in posted] == [(4, 8), (1, 2), (2, 4), (7, 14)]
    threads = {thread for _number, (_twice, thread) in posted}
    assert len(threads) == 1
    assert threading.current_thread() not in threads


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_an_error_comes_out_at_its_batch_and_stops_the_reading():
    read, posted = [], []

    def batches():
        for number in range(1, 100):
            read.append(number)
            yield number

    results = in_background(double, batches())
    posted += [next(results)[0], next(results)[0]]
    with pytest.raises(Refused):
        next(results)
    assert posted == [1, 2]
    assert len(read) <= 5
