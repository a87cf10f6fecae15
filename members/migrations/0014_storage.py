"""How PostgreSQL keeps the ledger's tables: room for updates in place, and a vacuum that keeps up with them."""

from django.db import migrations

SETTINGS = (
    # Every award changes a balance: with room on the page it stays there, and no index is touched.
    "ALTER TABLE members_pointsaccount SET (fillfactor = 60, autovacuum_vacuum_scale_factor = 0.02)",
    "ALTER TABLE members_pointslot SET (autovacuum_vacuum_scale_factor = 0.02)",
    # Only ever inserted into: vacuumed early, so that reading by index alone works.
    "ALTER TABLE members_pointsentry SET (autovacuum_vacuum_insert_scale_factor = 0.05)",
    "ALTER TABLE members_purchase SET (autovacuum_vacuum_insert_scale_factor = 0.05)",
)


def set_storage(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        for statement in SETTINGS:
            schema_editor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("members", "0013_returns_and_claims")]
    operations = [migrations.RunPython(set_storage, migrations.RunPython.noop)]
