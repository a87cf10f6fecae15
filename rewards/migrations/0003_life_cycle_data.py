from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.models import F


def carry_over(apps: Apps, _editor: BaseDatabaseSchemaEditor) -> None:
    """Keep the limit that each reward had, and say how much cancelled redemptions gave back."""
    limits = apps.get_model("rewards", "RewardLimit")
    rewards = apps.get_model("rewards", "Reward").objects.exclude(member_limit=None)
    limits.objects.bulk_create(
        limits(reward_id=reward.pk, period=reward.limit_period, times=reward.member_limit) for reward in rewards
    )
    redemptions = apps.get_model("rewards", "Redemption").objects
    redemptions.filter(state="CANCELLED").update(refunded_points=F("points"))


class Migration(migrations.Migration):
    dependencies = [("rewards", "0002_life_cycle")]

    operations = [migrations.RunPython(carry_over, migrations.RunPython.noop)]
