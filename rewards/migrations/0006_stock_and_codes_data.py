from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from members.lib.codes import fold_code

CHUNK = 1000


def carry_over(apps: Apps, _editor: BaseDatabaseSchemaEditor) -> None:
    """Keep every count as the common one of its reward, and fold the codes that are there."""
    rows = apps.get_model("rewards", "StockRow")
    counts = apps.get_model("rewards", "RewardStock").objects.values_list("reward_id", "on_hand")
    rows.objects.bulk_create(rows(reward_id=reward_id, on_hand=on_hand) for reward_id, on_hand in counts)
    codes = apps.get_model("rewards", "Code").objects
    after = 0
    while chunk := list(codes.filter(pk__gt=after).order_by("pk").only("pk", "code")[:CHUNK]):
        for code in chunk:
            code.folded = fold_code(code.code)[:64]
        codes.bulk_update(chunk, ["folded"])
        after = chunk[-1].pk


class Migration(migrations.Migration):
    dependencies = [("rewards", "0005_stock_and_codes")]

    operations = [migrations.RunPython(carry_over, migrations.RunPython.noop)]
