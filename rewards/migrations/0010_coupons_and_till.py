import django.db.models.deletion
import rewards.coupons.models
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("members", "0009_redemption_undo_days"),
        ("rewards", "0009_searchable"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="CampaignCode",
            fields=[],
            options={
                "verbose_name": "campaign code",
                "verbose_name_plural": "campaign codes",
                "proxy": True,
                "indexes": [],
                "constraints": [],
            },
            bases=("rewards.code",),
        ),
        migrations.AddField(
            model_name="reward",
            name="is_giftable",
            field=models.BooleanField(
                default=False,
                help_text="Only where the code is made at random: whoever passes it on has read a prepared one.",
                verbose_name="may be passed on to a friend",
            ),
        ),
        migrations.CreateModel(
            name="CodeTries",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("since", models.DateTimeField(verbose_name="since")),
                ("wrong", models.PositiveSmallIntegerField(default=0, verbose_name="wrong codes")),
                (
                    "member",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="members.member"
                    ),
                ),
            ],
            options={
                "verbose_name": "wrong campaign codes",
                "verbose_name_plural": "wrong campaign codes",
            },
        ),
        migrations.CreateModel(
            name="CouponIssue",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "public_id",
                    models.CharField(
                        default=rewards.coupons.models.new_issue_id, editable=False, max_length=24, unique=True
                    ),
                ),
                ("reason", models.CharField(max_length=300, verbose_name="reason")),
                ("segment", models.SlugField(blank=True, max_length=60, verbose_name="segment")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("PREPARED", "prepared, nothing given yet"),
                            ("RUNNING", "being given"),
                            ("DONE", "given"),
                            ("DROPPED", "dropped"),
                        ],
                        default="PREPARED",
                        max_length=8,
                        verbose_name="state",
                    ),
                ),
                ("unmatched_lines", models.JSONField(default=list, verbose_name="lines that name nobody")),
                ("repeated_lines", models.JSONField(default=list, verbose_name="lines that name a member again")),
                ("prepared_at", models.DateTimeField(verbose_name="prepared")),
                ("started_at", models.DateTimeField(null=True, verbose_name="started")),
                ("finished_at", models.DateTimeField(null=True, verbose_name="finished")),
                (
                    "prepared_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "reward",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="issues",
                        to="rewards.reward",
                        verbose_name="reward",
                    ),
                ),
                (
                    "started_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "issue of coupons",
                "verbose_name_plural": "issues of coupons",
            },
        ),
        migrations.CreateModel(
            name="Giveaway",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "public_id",
                    models.CharField(
                        default=rewards.coupons.models.new_giveaway_id, editable=False, max_length=24, unique=True
                    ),
                ),
                ("is_active", models.BooleanField(default=True, verbose_name="switched on")),
                ("opens_at", models.DateTimeField(verbose_name="opens")),
                ("closes_at", models.DateTimeField(verbose_name="closes")),
                (
                    "total",
                    models.PositiveIntegerField(
                        blank=True, help_text="Empty: no limit.", null=True, verbose_name="in all at most"
                    ),
                ),
                ("claimed", models.PositiveIntegerField(default=0, editable=False, verbose_name="claimed")),
                ("per_member", models.PositiveSmallIntegerField(default=1, verbose_name="for each member at most")),
                (
                    "segment",
                    models.SlugField(
                        blank=True,
                        help_text="Empty: for everybody.",
                        max_length=60,
                        verbose_name="only for this segment",
                    ),
                ),
                (
                    "minimum_tier",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="members.tier",
                        verbose_name="from this tier on",
                    ),
                ),
                (
                    "reward",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="giveaways",
                        to="rewards.reward",
                        verbose_name="reward",
                    ),
                ),
            ],
            options={
                "verbose_name": "giveaway",
                "verbose_name_plural": "giveaways",
            },
        ),
        migrations.CreateModel(
            name="GiveawayClaim",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField(verbose_name="claimed")),
                (
                    "giveaway",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="claims",
                        to="rewards.giveaway",
                    ),
                ),
                (
                    "member",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="members.member"
                    ),
                ),
                (
                    "redemption",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="giveaway_claim",
                        to="rewards.redemption",
                    ),
                ),
            ],
            options={
                "verbose_name": "claim of a giveaway",
                "verbose_name_plural": "claims of giveaways",
            },
        ),
        migrations.CreateModel(
            name="IssueRecipient",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("refused", models.CharField(blank=True, max_length=30, verbose_name="reason why not")),
                (
                    "issue",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="recipients",
                        to="rewards.couponissue",
                    ),
                ),
                (
                    "member",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="members.member"
                    ),
                ),
                (
                    "redemption",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="rewards.redemption",
                    ),
                ),
            ],
            options={
                "verbose_name": "recipient of an issue",
                "verbose_name_plural": "recipients of issues",
            },
        ),
        migrations.CreateModel(
            name="Present",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("token_hash", models.CharField(editable=False, max_length=64, unique=True)),
                (
                    "state",
                    models.CharField(
                        choices=[("WAITING", "not taken yet"), ("TAKEN", "taken"), ("WITHDRAWN", "taken back")],
                        default="WAITING",
                        max_length=9,
                        verbose_name="state",
                    ),
                ),
                ("created_at", models.DateTimeField(verbose_name="created")),
                ("expires_at", models.DateTimeField(verbose_name="expires")),
                ("ended_at", models.DateTimeField(null=True, verbose_name="ended")),
                (
                    "giver",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="members.member"
                    ),
                ),
                (
                    "redemption",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="presents", to="rewards.redemption"
                    ),
                ),
                (
                    "taker",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="members.member"
                    ),
                ),
            ],
            options={
                "verbose_name": "present to a friend",
                "verbose_name_plural": "presents to friends",
            },
        ),
        migrations.CreateModel(
            name="TillAct",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("SCAN", "looked up"),
                            ("USE", "marked used"),
                            ("UNDO", "taken back"),
                            ("PAY", "money taken"),
                            ("ENROL", "member enrolled"),
                        ],
                        max_length=5,
                        verbose_name="what",
                    ),
                ),
                ("key", models.CharField(editable=False, max_length=64)),
                ("is_proof", models.BooleanField(default=False, verbose_name="card or voucher was there")),
                ("at", models.DateTimeField(verbose_name="at")),
                (
                    "actor",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "member",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="members.member"
                    ),
                ),
                (
                    "redemption",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="rewards.redemption",
                    ),
                ),
                (
                    "store",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="members.store",
                        verbose_name="store",
                    ),
                ),
            ],
            options={
                "verbose_name": "act at the till",
                "verbose_name_plural": "acts at the till",
            },
        ),
        migrations.AddIndex(
            model_name="couponissue",
            index=models.Index(condition=models.Q(("state", "RUNNING")), fields=["id"], name="coupon_issue_running"),
        ),
        migrations.AddIndex(
            model_name="giveaway",
            index=models.Index(condition=models.Q(("is_active", True)), fields=["closes_at"], name="giveaway_open"),
        ),
        migrations.AddConstraint(
            model_name="giveaway",
            constraint=models.CheckConstraint(
                condition=models.Q(("closes_at__gt", models.F("opens_at"))), name="giveaway_is_forward"
            ),
        ),
        migrations.AddConstraint(
            model_name="giveaway",
            constraint=models.CheckConstraint(
                condition=models.Q(("total", None), ("claimed__lte", models.F("total")), _connector="OR"),
                name="giveaway_within_total",
            ),
        ),
        migrations.AddConstraint(
            model_name="giveaway",
            constraint=models.CheckConstraint(
                condition=models.Q(("per_member__gt", 0)), name="giveaway_each_is_positive"
            ),
        ),
        migrations.AddIndex(
            model_name="giveawayclaim",
            index=models.Index(fields=["giveaway", "member"], name="giveaway_claim_member"),
        ),
        migrations.AddIndex(
            model_name="issuerecipient",
            index=models.Index(
                condition=models.Q(("redemption", None), ("refused", "")), fields=["issue", "id"], name="issue_open"
            ),
        ),
        migrations.AddConstraint(
            model_name="issuerecipient",
            constraint=models.UniqueConstraint(fields=("issue", "member"), name="issue_once_per_member"),
        ),
        migrations.AddConstraint(
            model_name="present",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "WAITING")), fields=("redemption",), name="present_one_link_at_a_time"
            ),
        ),
        migrations.AddConstraint(
            model_name="present",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "TAKEN")), fields=("redemption",), name="present_taken_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="present",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state", "TAKEN"), ("taker__isnull", False)),
                    models.Q(models.Q(("state", "TAKEN"), _negated=True), ("taker", None)),
                    _connector="OR",
                ),
                name="present_taken_by_somebody",
            ),
        ),
        migrations.AddConstraint(
            model_name="tillact",
            constraint=models.UniqueConstraint(fields=("actor", "key"), name="till_act_once_per_key"),
        ),
    ]
