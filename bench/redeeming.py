"""Redemptions by many clients of one reward, beside a function written by hand for nothing else."""

import multiprocessing
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from django.db import connection, connections, transaction

from members.ledger.audit import find_problems
from rewards.catalogue.models import Reward
from rewards.redemption.models import Redemption
from rewards.redemption.redeeming import NotAvailable, redeem
from rewards.stock.models import RewardStock
from rewards.stock.movements import adjust_stock
from tests.harness.mixed_load import NOT_OURS

PIECES, PLENTY, PRICE = 100, 10_000_000, 10
REDEEMERS = 2_000
# What the member's entry says in the floor as well.
_BREAKDOWN = '{"names": {"en": "Bench", "zh-hans": "Bench", "zh-hant": "Bench"}}'

_POINTS = """
WITH given AS (
    SELECT nextval('members_pointsentry_id_seq') AS eid, id, member_id FROM members_pointsaccount
    WHERE point_type = 'SPENDABLE' AND member_id = ANY(%s)
), e AS (
    INSERT INTO members_pointsentry
        (id, account_id, member_id, point_type, kind, contra, points, key, reason, breakdown, occurred_at, recorded_at)
    SELECT eid, id, member_id, 'SPENDABLE', 'GRANT', 'ISSUED', 1000000, 'bench:' || eid, '', '{}', now(), now()
    FROM given
), l AS (
    INSERT INTO members_pointslot (entry_id, account_id, member_id, granted, remaining, available_from, notice_due,
                                   has_own_end)
    SELECT eid, id, member_id, 1000000, 1000000, now() - interval '1 day', false, false FROM given
)
UPDATE members_pointsaccount a SET balance = balance + 1000000 FROM given g WHERE a.id = g.id
"""

# The same rows as the product's, in the order account, lots, entry, redemption, event, stock; one statement a client.
_FLOOR = """
CREATE OR REPLACE FUNCTION bench_redeem(who bigint, what bigint, once text, price integer) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    acc bigint;
    entry bigint;
    done bigint;
    moment timestamptz;
    taken bigint;
BEGIN
    SELECT id INTO acc FROM members_pointsaccount
        WHERE member_id = who AND point_type = 'SPENDABLE' FOR NO KEY UPDATE;
    moment := clock_timestamp();
    INSERT INTO members_pointsentry (account_id, member_id, point_type, kind, contra, points, key, reason, breakdown,
                                     occurred_at, recorded_at)
        VALUES (acc, who, 'SPENDABLE', 'REDEEM', 'REDEEMED', -price, 'bench-redeem:' || once, 'redemption',
                '{breakdown}', moment, moment) RETURNING id INTO entry;
    WITH o AS (
        SELECT id, remaining, sum(remaining) OVER (ORDER BY expires_at NULLS LAST, available_from, id) - remaining AS b4
        FROM members_pointslot WHERE account_id = acc AND remaining > 0 AND available_from <= moment
            AND (expires_at IS NULL OR expires_at > moment)
    ), u AS (
        UPDATE members_pointslot l SET remaining = l.remaining - least(o.remaining, price - o.b4)
        FROM o WHERE l.id = o.id AND o.b4 < price RETURNING l.id, least(o.remaining, price - o.b4) AS points
    ), i AS (
        INSERT INTO members_lotuse (entry_id, lot_id, points) SELECT entry, id, points FROM u RETURNING points
    ) SELECT sum(points) INTO taken FROM i;
    IF taken IS DISTINCT FROM price THEN
        RAISE EXCEPTION 'short';
    END IF;
    UPDATE members_pointsaccount SET balance = balance - price WHERE id = acc;
    INSERT INTO rewards_redemption (public_id, member_id, reward_id, source, points, key, state, code, entry_id,
                                    currency, refunded_points, redeemed_at, cancel_reason)
        VALUES ('b' || entry, who, what, 'API', price, once, 'CAPTURED', 'B' || entry, entry, '', 0, moment, '')
        RETURNING id INTO done;
    INSERT INTO members_event (kind, member_id, occurred_at, recorded_at, data, backfilled)
        VALUES ('reward.redeemed', who, moment, moment,
                jsonb_build_object('redemption', done, 'reward', what, 'points', price), false);
    INSERT INTO rewards_stockmovement (reward_id, slot, kind, quantity, redemption_id, key, reason, at)
        VALUES (what, 0, 'TAKEN', -1, done, '', '', moment);
    UPDATE rewards_rewardstock SET on_hand = on_hand - 1 WHERE reward_id = what AND on_hand > 0;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'sold out';
    END IF;
    RETURN true;
END $$
"""

# Redeem as this client, for the number of the attempt; tell whether it was given.
Act = Callable[[int, str], bool]


@dataclass(frozen=True)
class Rush:
    """What came of many clients at once."""

    given: int
    per_second: float


def prepare(member_ids: list[int]) -> list[int]:
    """Give some members plenty of points, and the floor its function; return the members."""
    chosen = member_ids[:REDEEMERS]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_POINTS, [chosen])
        cursor.execute(_FLOOR.replace("{breakdown}", _BREAKDOWN))
    return chosen


def make_reward(stock: int, slots: int = 1) -> Reward:
    """Return a reward with so many pieces in so many parts."""
    reward = Reward.objects.create(kind="coupon", name_en="Bench", points=PRICE, stock_slots=slots)
    adjust_stock(reward_id=reward.pk, quantity=stock, reason="bench", actor_id=None)
    return reward


def by_product(reward: Reward) -> Act:
    """Return what redeems by the product."""

    def act(member_id: int, key: str) -> bool:
        try:
            redeem(member_id=member_id, reward_id=reward.pk, key=key)
        except NotAvailable:
            return False
        return True

    return act


def by_hand(reward: Reward) -> Act:
    """Return what redeems by the function of the floor."""

    def act(member_id: int, key: str) -> bool:
        with connection.cursor() as cursor:
            cursor.execute("SELECT bench_redeem(%s, %s, %s, %s)", [member_id, reward.pk, key, PRICE])
        return True

    return act


def rush(member_ids: list[int], act: Act, tag: str, *, clients: int, seconds: float, most: int | None = None) -> Rush:
    """Let so many clients redeem for a while, each at most so often: a process for each processor, threads in them."""
    connections.close_all()
    fork = multiprocessing.get_context("fork")
    barrier, results = fork.Barrier(clients), fork.SimpleQueue()

    def work(client: int) -> None:
        chance = Random(f"{tag}-{client}")
        connection.ensure_connection()
        barrier.wait(60)
        started, given, tries = time.perf_counter(), 0, 0
        try:
            while time.perf_counter() - started < seconds and (most is None or tries < most):
                tries += 1
                given += act(chance.choice(member_ids), f"{tag}-{client}-{tries}")
        finally:
            results.put((given, time.perf_counter() - started))
            connections.close_all()

    def serve(own: range) -> None:
        threads = [threading.Thread(target=work, args=(client,)) for client in own]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    processes = min(clients, os.cpu_count() or 1)
    running = [fork.Process(target=serve, args=(range(first, clients, processes),)) for first in range(processes)]
    for process in running:
        process.start()
    found = [results.get() for _client in range(clients)]
    for process in running:
        process.join()
    return Rush(sum(given for given, _took in found), sum(given / took for given, took in found))


def sell_out(member_ids: list[int], tag: str, *, clients: int) -> list[str]:
    """Let many want the last hundred pieces; return what went wrong."""
    reward, before = make_reward(PIECES), deadlocks()
    sold = rush(member_ids, by_product(reward), tag, clients=clients, seconds=60, most=5).given
    codes = Redemption.objects.filter(reward=reward).values("code").distinct().count()
    left = sum(RewardStock.objects.filter(reward=reward).values_list("on_hand", flat=True))
    troubles = [f"{sold} sold, {codes} codes, {left} left"] if (sold, codes, left) != (PIECES, PIECES, 0) else []
    found = deadlocks() - before
    return [*troubles, *([f"{found} deadlocks"] if found else []), *find_problems(leave_out=NOT_OURS)]


def deadlocks() -> int:
    """Return how many the server has counted; it tells once the connections are closed."""
    time.sleep(1.2)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        return int(cursor.fetchone()[0])
