import django.core.validators
import django.db.models.deletion
from django.db import migrations, models
from django.db.models import F, Q


class Migration(migrations.Migration):
    dependencies = [("members", "0009_redemption_undo_days"), ("rewards", "0004_life_cycle_rest")]

    operations = [
        migrations.AddField("reward", "low_stock_since", models.DateTimeField(editable=False, null=True)),
        migrations.AddField(
            "reward",
            "stock_slots",
            models.PositiveSmallIntegerField(
                default=1,
                help_text="1 for most. 16 when very many want it in the same minute: they wait less for each other.",
                validators=[
                    django.core.validators.MinValueValidator(1),
                    django.core.validators.MaxValueValidator(64),
                ],
                verbose_name="counted in parts",
            ),
        ),
        migrations.AddConstraint(
            "reward", models.CheckConstraint(condition=Q(stock_slots__gt=0), name="reward_stock_has_parts")
        ),
        migrations.CreateModel(
            "StockRow",
            [
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "reward",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="stock_rows",
                        to="rewards.reward",
                    ),
                ),
                (
                    "store",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="members.store",
                        verbose_name="store",
                    ),
                ),
                ("slot", models.PositiveSmallIntegerField(default=0, verbose_name="part")),
                ("on_hand", models.PositiveIntegerField(default=0, verbose_name="left")),
            ],
            options={"verbose_name": "stock", "verbose_name_plural": "stocks"},
        ),
        migrations.AddField(
            "stockmovement",
            "store",
            models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="members.store",
                verbose_name="store",
            ),
        ),
        migrations.AddField("stockmovement", "slot", models.PositiveSmallIntegerField(default=0, verbose_name="part")),
        migrations.RemoveConstraint("code", "code_given_has_instant"),
        migrations.AddField(
            "code",
            "folded",
            models.CharField(db_index=True, default="", editable=False, max_length=64),
            preserve_default=False,
        ),
        migrations.AddField("code", "uses_allowed", models.PositiveIntegerField(default=1, verbose_name="uses in all")),
        migrations.AddField(
            "code", "uses_per_member", models.PositiveIntegerField(default=1, verbose_name="uses by each member")
        ),
        migrations.AddField("code", "uses", models.PositiveIntegerField(default=0, verbose_name="used so often")),
        migrations.AlterField(
            "code",
            "state",
            models.CharField(
                choices=[
                    ("FREE", "free"),
                    ("RESERVED", "set aside"),
                    ("GIVEN", "given"),
                    ("SHARED", "for many members"),
                ],
                default="FREE",
                max_length=8,
                verbose_name="state",
            ),
        ),
        migrations.AddConstraint(
            "code",
            models.CheckConstraint(
                condition=Q(state="GIVEN", given_at__isnull=False) | (~Q(state="GIVEN") & Q(given_at=None)),
                name="code_given_has_instant",
            ),
        ),
        migrations.AddConstraint(
            "code", models.CheckConstraint(condition=Q(uses__lte=F("uses_allowed")), name="code_used_at_most_allowed")
        ),
        migrations.CreateModel(
            "CodeUse",
            [
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("uses", models.PositiveIntegerField(default=0, verbose_name="used so often")),
                (
                    "code",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="rewards.code",
                    ),
                ),
                (
                    "member",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="members.member",
                    ),
                ),
            ],
            options={
                "verbose_name": "use of a shared code",
                "verbose_name_plural": "uses of shared codes",
                "constraints": [models.UniqueConstraint(fields=("code", "member"), name="code_use_once_a_member")],
            },
        ),
    ]
