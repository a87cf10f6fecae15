from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("members", "0008_live_codes")]

    operations = [
        migrations.AddField(
            "programme",
            "redemption_undo_days",
            models.PositiveSmallIntegerField(
                default=30,
                help_text="Staff undo a wrong mark so long; after that they give points back instead.",
                verbose_name="a used reward can be opened again for days",
            ),
        ),
    ]
