"""How PostgreSQL keeps the rows of the ledger."""

from django.db import migrations

ON_POSTGRES = (
    # Points become usable in about the order in which their rows were written: a few pages of index, where the nightly
    # run looks for what time alone changes.
    "CREATE INDEX IF NOT EXISTS points_lot_usable ON members_pointslot USING brin (available_from)",
    # Every award changes a balance: with room on the page it stays there, and no index is touched.
    "ALTER TABLE members_pointsaccount SET (fillfactor = 60, autovacuum_vacuum_scale_factor = 0.02)",
    "ALTER TABLE members_pointslot SET (autovacuum_vacuum_scale_factor = 0.02)",
    # Only ever inserted into: vacuumed early, so that reading by index alone works.
    "ALTER TABLE members_pointsentry SET (autovacuum_vacuum_insert_scale_factor = 0.05)",
    "ALTER TABLE members_purchase SET (autovacuum_vacuum_insert_scale_factor = 0.05)",
)


def set_up_postgres(apps, schema_editor):
    """Set what only PostgreSQL has."""
    if schema_editor.connection.vendor == "postgresql":
        for statement in ON_POSTGRES:
            schema_editor.execute(statement)


class Migration(migrations.Migration):
    # Apart from the data: PostgreSQL alters no table that the same transaction has just filled.
    dependencies = [("members", "0003_points_engine_data")]

    operations = [migrations.RunPython(set_up_postgres, migrations.RunPython.noop)]
