"""What tiers count is read from an index alone on PostgreSQL."""

from django.db import migrations

ON_POSTGRES = (
    # The index of a member's entries carries what the window of a tier asks for: else a night fetches each entry from
    # the page where its day left it. It takes the place of the narrow one, so an award writes to no more indexes.
    "CREATE INDEX points_entry_window ON members_pointsentry (member_id, id)"
    " INCLUDE (occurred_at, points, kind, point_type)",
    "DROP INDEX points_entry_member",
    "ALTER INDEX points_entry_window RENAME TO points_entry_member",
)


def widen_index(apps, schema_editor):
    """Put the wide index in the place of the narrow one of the same name."""
    if schema_editor.connection.vendor == "postgresql":
        for statement in ON_POSTGRES:
            schema_editor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("members", "0004_storage")]

    operations = [migrations.RunPython(widen_index, migrations.RunPython.noop)]
