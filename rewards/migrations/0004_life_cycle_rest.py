from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("rewards", "0003_life_cycle_data")]

    operations = [
        migrations.RemoveConstraint(
            model_name="reward",
            name="reward_limit_is_positive",
        ),
        migrations.RemoveField(
            model_name="reward",
            name="limit_period",
        ),
        migrations.RemoveField(
            model_name="reward",
            name="member_limit",
        ),
        migrations.AddConstraint(
            model_name="rewardlimit",
            constraint=models.CheckConstraint(condition=models.Q(("times__gt", 0)), name="reward_limit_is_positive"),
        ),
    ]
