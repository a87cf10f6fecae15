"""The floors: the same rows, written as directly as PostgreSQL allows, by its own pgbench and by COPY."""

import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from django.db import connection

from tests.harness.servers import postgres_binaries

BATCH = 1000

# What an award writes for two lines, statement by statement. The breakdown is the one the product stores.
# pgbench takes every colon before a word for a variable, even in a text: hence chr(58).
SINGLE = """
\\set member random(0, :members - 1) * :step + :first
BEGIN;
SELECT nextval('members_purchase_id_seq') AS pid, nextval('members_pointsentry_id_seq') AS eid \\gset
INSERT INTO members_purchasekey (source, number, document, document_id, content_hash)
    VALUES ('floor', 'F' || :pid::text, 'PURCHASE', :pid, md5('a' || :pid::text) || md5('b' || :pid::text));
INSERT INTO members_purchase
    (id, source, number, member_id, purchased_at, recorded_at, currency, amount, origin, invoice, buyer_tax_id)
    VALUES (:pid, 'floor', 'F' || :pid::text, :member, now(), now(), 'GBP', 2999, 'bench', '', '');
INSERT INTO members_purchaseline (purchase_id, member_id, sku, description, category, brand, quantity, amount)
    VALUES (:pid, :member, 'TEA-1', 'Oolong tea', 'tea', '', 1, 1999),
           (:pid, :member, 'CUP-1', 'Stoneware cup', 'home', '', 2, 1000);
SELECT id AS account FROM members_pointsaccount
    WHERE member_id = :member AND point_type = 'SPENDABLE' FOR NO KEY UPDATE \\gset
INSERT INTO members_pointsentry
    (id, account_id, member_id, point_type, kind, contra, points, key, purchase_id, reason, breakdown, occurred_at,
     recorded_at)
    VALUES (:eid, :account, :member, 'SPENDABLE', 'EARN', 'ISSUED', 29,
            concat_ws(chr(58), 'purchase', 'floor', 'F' || :pid::text), :pid, '',
            '{breakdown}'::jsonb, now(), now());
INSERT INTO members_pointslot
    (entry_id, account_id, member_id, granted, remaining, available_from, expires_at, notice_due)
    VALUES (:eid, :account, :member, 29, 29, now(), now() + interval '12 months', false);
INSERT INTO members_event (kind, member_id, occurred_at, recorded_at, data, backfilled)
    VALUES ('purchase.recorded', :member, now(), now(),
            jsonb_build_object('purchase', :pid::bigint, 'entry', :eid::bigint, 'amount', 2999, 'currency', 'GBP',
                               'points', 29), false);
UPDATE members_pointsaccount SET balance = balance + 29 WHERE id = :account;
COMMIT;
"""

BUYER = "(:shift::bigint + i) % :members::bigint * :step::bigint + :first::bigint"

# The same for a thousand purchases of a thousand members, table by table.
BATCH_OF_1000 = """
\\set shift random(0, :members - 1)
BEGIN;
SELECT nextval('members_purchase_id_seq') AS p, nextval('members_pointsentry_id_seq') AS e \\gset
SELECT setval('members_purchase_id_seq', :p::bigint + 1000), setval('members_pointsentry_id_seq', :e::bigint + 1000);
INSERT INTO members_purchasekey (source, number, document, document_id, content_hash)
    SELECT 'floor', 'B' || (:p::bigint + i), 'PURCHASE', :p::bigint + i, md5('a' || i) || md5('b' || :p::bigint)
    FROM generate_series(1, 1000) i;
INSERT INTO members_purchase
    (id, source, number, member_id, purchased_at, recorded_at, currency, amount, origin, invoice, buyer_tax_id)
    SELECT :p::bigint + i, 'floor', 'B' || (:p::bigint + i), {buyer}, now(), now(), 'GBP', 2999,
           'bench', '', '' FROM generate_series(1, 1000) i;
INSERT INTO members_purchaseline (purchase_id, member_id, sku, description, category, brand, quantity, amount)
    SELECT :p::bigint + i, {buyer}, 'TEA-1', 'Oolong tea', 'tea', '', 1, 1999
    FROM generate_series(1, 1000) i
    UNION ALL
    SELECT :p::bigint + i, {buyer}, 'CUP-1', 'Stoneware cup', 'home', '', 2, 1000
    FROM generate_series(1, 1000) i;
INSERT INTO members_pointsentry
    (id, account_id, member_id, point_type, kind, contra, points, key, purchase_id, reason, breakdown, occurred_at,
     recorded_at)
    SELECT :e::bigint + i, a.id, a.member_id, 'SPENDABLE', 'EARN', 'ISSUED', 29,
           concat_ws(chr(58), 'purchase', 'floor', 'B' || (:p::bigint + i)), :p::bigint + i, '',
           '{breakdown}'::jsonb, now(), now()
    FROM generate_series(1, 1000) i
         JOIN members_pointsaccount a ON a.member_id = {buyer} AND a.point_type = 'SPENDABLE';
INSERT INTO members_pointslot
    (entry_id, account_id, member_id, granted, remaining, available_from, expires_at, notice_due)
    SELECT :e::bigint + i, a.id, a.member_id, 29, 29, now(), now() + interval '12 months', false
    FROM generate_series(1, 1000) i
         JOIN members_pointsaccount a ON a.member_id = {buyer} AND a.point_type = 'SPENDABLE';
INSERT INTO members_event (kind, member_id, occurred_at, recorded_at, data, backfilled)
    SELECT 'purchase.recorded', {buyer}, now(), now(),
           jsonb_build_object('purchase', :p::bigint + i, 'entry', :e::bigint + i, 'amount', 2999,
                              'currency', 'GBP', 'points', 29), false FROM generate_series(1, 1000) i;
UPDATE members_pointsaccount SET balance = balance + 29
    WHERE point_type = 'SPENDABLE' AND member_id IN (SELECT {buyer} FROM generate_series(1, 1000) i);
COMMIT;
"""


@dataclass(frozen=True)
class Pgbench:
    """pgbench against the database of the bench."""

    folder: Path
    variables: Mapping[str, int]

    def transactions_per_second(self, script: str, *, breakdown: str, clients: int, seconds: float) -> float:
        """Return how many transactions a second the script makes with so many clients."""
        file = self.folder / "script.sql"
        text = script.replace("{breakdown}", breakdown.replace("'", "''")).replace("{buyer}", BUYER)
        file.write_text(text, encoding="utf-8")
        settings = connection.settings_dict
        defined = [part for name, value in self.variables.items() for part in ("-D", f"{name}={value}")]
        program = str(postgres_binaries() / "pgbench")
        command = [program, "-n", "-M", "prepared", "-f", str(file), "-c", str(clients)]
        command += ["-j", str(min(clients, os.cpu_count() or 1)), "-T", str(round(seconds)), *defined]
        command += ["-h", settings["HOST"], "-U", settings["USER"], settings["NAME"]]
        answer = subprocess.run(command, capture_output=True, check=False, text=True)
        found = re.search(r"tps = ([0-9.]+) \(without", answer.stdout) or re.search(r"tps = ([0-9.]+)", answer.stdout)
        if answer.returncode or not found:
            raise RuntimeError(answer.stderr)
        return float(found.group(1))


def copy_rows(path: Path) -> None:
    """COPY a purchase file into one typed table with a primary key and an index on the document number."""
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS bench_copy")
        cursor.execute(
            "CREATE TABLE bench_copy (id bigserial PRIMARY KEY, number text, sku text, description text, "
            "quantity integer, at timestamp, price numeric, customer text, country text)"
        )
        cursor.execute("CREATE UNIQUE INDEX ON bench_copy (number)")
        columns = "number, sku, description, quantity, at, price, customer, country"
        with path.open("rb") as file, cursor.copy(f"COPY bench_copy ({columns}) FROM STDIN CSV HEADER") as copy:
            while part := file.read(1 << 20):
                copy.write(part)
