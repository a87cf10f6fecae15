from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from rewards.catalogue.searching import searchable

LANGUAGES = ("en", "zh_hans", "zh_hant")


def fill(apps: Apps, _editor: BaseDatabaseSchemaEditor) -> None:
    """Keep what the search compares for the rewards there are."""
    rewards = list(apps.get_model("rewards", "Reward").objects.order_by("pk"))
    for reward in rewards:
        for language in LANGUAGES:
            name = getattr(reward, f"name_{language}") or reward.name_en
            description = getattr(reward, f"description_{language}") or reward.description_en
            setattr(reward, f"found_{language}", searchable(f"{name}\n{description}"))
    fields = [f"found_{language}" for language in LANGUAGES]
    apps.get_model("rewards", "Reward").objects.bulk_update(rewards, fields, batch_size=200)


class Migration(migrations.Migration):
    dependencies = [("rewards", "0008_catalogue")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
