from django.apps.registry import Apps
import django.db.models.deletion
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.models import Q

# A count changes with every redemption: with room on the page it stays there, and no index is touched.
ROOM = "ALTER TABLE rewards_rewardstock SET (fillfactor = 40, autovacuum_vacuum_scale_factor = 0.02)"

# Take a piece: first from a part that nobody holds, beginning anywhere, then from the first that has one, waiting for
# who holds it. The first try undoes itself when it finds nothing, for SKIP LOCKED keeps the locks of parts that turned
# out empty. Only a fresh look at nothing but empty parts answers false.
TAKE_PIECE = """
CREATE OR REPLACE FUNCTION rewards_take_piece(wanted bigint, place bigint, taker bigint, moment timestamptz)
RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    parts integer;
    part_id bigint;
    part_slot smallint;
    turn integer := floor(random() * 64);
BEGIN
    SELECT count(*) INTO parts FROM rewards_rewardstock
        WHERE reward_id = wanted AND (store_id = place OR place IS NULL AND store_id IS NULL);
    LOOP
        part_id := NULL;
        IF parts > 1 THEN
            BEGIN
                SELECT id, slot INTO part_id, part_slot FROM rewards_rewardstock
                    WHERE reward_id = wanted AND (store_id = place OR place IS NULL AND store_id IS NULL)
                      AND on_hand > 0
                    ORDER BY (slot + turn) % 64 LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED;
                IF NOT FOUND THEN
                    RAISE EXCEPTION USING ERRCODE = 'RW001';
                END IF;
            EXCEPTION WHEN SQLSTATE 'RW001' THEN
                part_id := NULL;
            END;
        END IF;
        IF part_id IS NULL THEN
            SELECT id, slot INTO part_id, part_slot FROM rewards_rewardstock
                WHERE reward_id = wanted AND (store_id = place OR place IS NULL AND store_id IS NULL)
                  AND on_hand > 0
                ORDER BY slot LIMIT 1 FOR NO KEY UPDATE;
        END IF;
        EXIT WHEN part_id IS NOT NULL;
        PERFORM 1 FROM rewards_rewardstock
            WHERE reward_id = wanted AND (store_id = place OR place IS NULL AND store_id IS NULL) AND on_hand > 0;
        IF NOT FOUND THEN
            RETURN false;
        END IF;
    END LOOP;
    UPDATE rewards_rewardstock SET on_hand = on_hand - 1 WHERE id = part_id;
    INSERT INTO rewards_stockmovement (reward_id, store_id, slot, kind, quantity, redemption_id, key, reason, at)
        VALUES (wanted, place, part_slot, 'TAKEN', -1, taker, '', '', moment);
    RETURN true;
END $$
"""


def set_up_postgres(_apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
    """Set what only PostgreSQL has."""
    if editor.connection.vendor == "postgresql":
        editor.execute(ROOM)
        editor.execute(TAKE_PIECE, params=None)


class Migration(migrations.Migration):
    dependencies = [("rewards", "0006_stock_and_codes_data")]

    operations = [
        migrations.DeleteModel("RewardStock"),
        migrations.RenameModel("StockRow", "RewardStock"),
        migrations.AddConstraint(
            "rewardstock", models.CheckConstraint(condition=Q(on_hand__gte=0), name="reward_stock_not_negative")
        ),
        migrations.AddConstraint(
            "rewardstock",
            models.UniqueConstraint(condition=Q(store=None), fields=("reward", "slot"), name="reward_stock_common"),
        ),
        migrations.AddConstraint(
            "rewardstock",
            models.UniqueConstraint(
                condition=Q(store__isnull=False), fields=("reward", "store", "slot"), name="reward_stock_of_store"
            ),
        ),
        migrations.AlterField(
            "redemption",
            "holder",
            models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="held_redemptions",
                to="members.member",
                verbose_name="given to",
            ),
        ),
        migrations.RemoveConstraint("redemption", "redemption_fulfilled_has_instant"),
        migrations.AddConstraint(
            "redemption",
            models.CheckConstraint(
                condition=Q(state="FULFILLED", fulfilled_at__isnull=False)
                | Q(state="REFUNDED")
                | (~Q(state__in=["FULFILLED", "REFUNDED"]) & Q(fulfilled_at=None)),
                name="redemption_fulfilled_has_instant",
            ),
        ),
        migrations.RunPython(set_up_postgres, migrations.RunPython.noop),
    ]
