"""What the widened tables need once: settings told anew, and accounts of status points."""

from django.db import migrations

STATUS_ACCOUNTS = """
INSERT INTO members_pointsaccount (member_id, point_type, balance, debt) SELECT id, 'STATUS', 0, 0 FROM members_member
"""
NO_STATUS_ACCOUNTS = "DELETE FROM members_pointsaccount WHERE point_type = 'STATUS'"


def keep_the_life_of_points(apps, schema_editor):
    """Say in the new settings what the old ones said."""
    programmes = apps.get_model("members", "Programme").objects
    programmes.filter(expiry_months=None).update(expiry_policy="NEVER")
    programmes.filter(expiry_at_month_end=False).update(expiry_round_up="NONE")


class Migration(migrations.Migration):
    dependencies = [("members", "0002_points_engine")]

    operations = [
        migrations.RunPython(keep_the_life_of_points, migrations.RunPython.noop),
        migrations.RemoveField(model_name="programme", name="expiry_at_month_end"),
        migrations.RunSQL(STATUS_ACCOUNTS, reverse_sql=NO_STATUS_ACCOUNTS),
    ]
