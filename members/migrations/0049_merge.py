from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("members", "0005_tier_window"),
        ("members", "0020_redemption_undo_days"),
        ("members", "0031_live_codes"),
    ]

    operations = []
