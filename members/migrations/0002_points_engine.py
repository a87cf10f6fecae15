import django.core.validators
import django.db.models.deletion
import django.db.models.functions.datetime
import members.households.models
import members.ledger.models
import members.programme.models
from decimal import Decimal
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("members", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Counter",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=40)),
                ("member_id", models.BigIntegerField()),
                ("period", models.DateField(help_text="The local day on which the period began.")),
                ("used", models.BigIntegerField(default=0)),
            ],
            options={
                "verbose_name": "counter of a cap",
                "verbose_name_plural": "counters of caps",
            },
        ),
        migrations.CreateModel(
            name="DeadNumber",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.CharField(max_length=10, unique=True, verbose_name="member number")),
                ("at", models.DateTimeField(verbose_name="reported lost")),
            ],
            options={
                "verbose_name": "lost card",
                "verbose_name_plural": "lost cards",
            },
        ),
        migrations.CreateModel(
            name="EarningCap",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name_en", models.CharField(max_length=80, verbose_name="name (English)")),
                ("name_zh_hans", models.CharField(blank=True, max_length=80, verbose_name="name (简体中文)")),
                ("name_zh_hant", models.CharField(blank=True, max_length=80, verbose_name="name (繁體中文)")),
                ("is_active", models.BooleanField(default=True, verbose_name="switched on")),
                ("limit", models.PositiveBigIntegerField(verbose_name="at most points")),
                (
                    "period",
                    models.CharField(
                        choices=[
                            ("PURCHASE", "in one purchase"),
                            ("DAY", "in a day"),
                            ("WEEK", "in a week from Monday"),
                            ("MONTH", "in a month"),
                            ("YEAR", "in a year"),
                            ("EVER", "in all"),
                        ],
                        default="MONTH",
                        max_length=8,
                        verbose_name="counted over",
                    ),
                ),
                (
                    "of_everybody",
                    models.BooleanField(
                        default=False,
                        help_text="A budget. Otherwise each member alone.",
                        verbose_name="all members together",
                    ),
                ),
                (
                    "manner",
                    models.CharField(
                        choices=[("CLIP", "gives what is left"), ("REFUSE", "gives nothing if not everything fits")],
                        default="CLIP",
                        max_length=6,
                        verbose_name="when there is not enough left",
                    ),
                ),
                (
                    "point_type",
                    models.CharField(
                        choices=[("SPENDABLE", "points"), ("STATUS", "status points")],
                        default="SPENDABLE",
                        max_length=10,
                        verbose_name="points of type",
                    ),
                ),
                ("valid_from", models.DateTimeField(blank=True, null=True, verbose_name="from")),
                ("valid_until", models.DateTimeField(blank=True, null=True, verbose_name="until")),
            ],
            options={
                "verbose_name": "cap on earning",
                "verbose_name_plural": "caps on earning",
            },
        ),
        migrations.CreateModel(
            name="Hold",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "public_id",
                    models.CharField(
                        default=members.ledger.models.new_hold_id, editable=False, max_length=24, unique=True
                    ),
                ),
                ("points", models.BigIntegerField(verbose_name="points")),
                ("captured", models.BigIntegerField(default=0, verbose_name="used")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("HELD", "held"),
                            ("CAPTURED", "used"),
                            ("RELEASED", "released"),
                            ("EXPIRED", "ran out"),
                        ],
                        default="HELD",
                        max_length=8,
                        verbose_name="state",
                    ),
                ),
                ("reason", models.CharField(blank=True, max_length=300, verbose_name="reason")),
                ("held_at", models.DateTimeField(verbose_name="held")),
                ("expires_at", models.DateTimeField(verbose_name="runs out")),
                ("settled_at", models.DateTimeField(null=True, verbose_name="settled")),
            ],
            options={
                "verbose_name": "hold",
                "verbose_name_plural": "holds",
            },
        ),
        migrations.CreateModel(
            name="Household",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("founded_at", models.DateTimeField(verbose_name="founded")),
            ],
            options={
                "verbose_name": "household",
                "verbose_name_plural": "households",
            },
        ),
        migrations.CreateModel(
            name="HouseholdInvite",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "code",
                    models.CharField(
                        default=members.households.models.new_invite_code,
                        max_length=12,
                        unique=True,
                        verbose_name="code",
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("OPEN", "open"),
                            ("ACCEPTED", "accepted"),
                            ("DECLINED", "declined"),
                            ("WITHDRAWN", "withdrawn"),
                        ],
                        default="OPEN",
                        max_length=9,
                        verbose_name="state",
                    ),
                ),
                ("created_at", models.DateTimeField(verbose_name="created")),
                ("expires_at", models.DateTimeField(verbose_name="expires")),
                ("decided_at", models.DateTimeField(null=True, verbose_name="decided")),
            ],
            options={
                "verbose_name": "invitation to a household",
                "verbose_name_plural": "invitations to households",
            },
        ),
        migrations.CreateModel(
            name="HouseholdMember",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "role",
                    models.CharField(
                        choices=[("HEAD", "head"), ("MEMBER", "member")],
                        default="MEMBER",
                        max_length=6,
                        verbose_name="role",
                    ),
                ),
                ("joined_at", models.DateTimeField(verbose_name="joined")),
                ("left_at", models.DateTimeField(null=True, verbose_name="left")),
                ("shares_points", models.BooleanField(default=False, verbose_name="others may use the points")),
                (
                    "monthly_limit",
                    models.PositiveIntegerField(blank=True, null=True, verbose_name="at most so many points a month"),
                ),
                ("consented_at", models.DateTimeField(null=True, verbose_name="agreed")),
                ("text_version", models.CharField(blank=True, max_length=20, verbose_name="text version")),
            ],
            options={
                "verbose_name": "member of a household",
                "verbose_name_plural": "members of households",
            },
        ),
        migrations.CreateModel(
            name="HouseholdUse",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("points", models.PositiveIntegerField(verbose_name="points")),
                ("key", models.CharField(editable=False, max_length=120)),
                ("at", models.DateTimeField(verbose_name="at")),
                ("given_back_at", models.DateTimeField(null=True, verbose_name="given back")),
            ],
            options={
                "verbose_name": "use of another's points",
                "verbose_name_plural": "uses of another's points",
            },
        ),
        migrations.CreateModel(
            name="LotChange",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "why",
                    models.CharField(
                        choices=[
                            ("ACTIVATED", "became usable"),
                            ("NOTICED", "the member was told"),
                            ("EXTENDED", "extended"),
                            ("COURTESY", "courtesy after our cancellation"),
                            ("REINSTATED", "reinstated"),
                        ],
                        max_length=12,
                        verbose_name="why",
                    ),
                ),
                ("at", models.DateTimeField(verbose_name="at")),
                ("recorded_at", models.DateTimeField(verbose_name="recorded")),
                ("old_available_from", models.DateTimeField(null=True)),
                ("new_available_from", models.DateTimeField(null=True)),
                ("old_expires_at", models.DateTimeField(null=True)),
                ("new_expires_at", models.DateTimeField(null=True)),
                ("old_notice_due", models.BooleanField(default=False)),
                ("new_notice_due", models.BooleanField(default=False)),
                ("reason", models.CharField(blank=True, max_length=300, verbose_name="reason")),
            ],
            options={
                "verbose_name": "change of a lot",
                "verbose_name_plural": "changes of lots",
            },
        ),
        migrations.CreateModel(
            name="MergeRequest",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "take_back_bonus",
                    models.BooleanField(default=False, verbose_name="take back the later sign-up bonus"),
                ),
                ("reason", models.CharField(max_length=300, verbose_name="reason")),
                (
                    "state",
                    models.CharField(
                        choices=[("WAITING", "waiting"), ("APPROVED", "approved"), ("REFUSED", "refused")],
                        default="WAITING",
                        max_length=8,
                        verbose_name="state",
                    ),
                ),
                ("requested_at", models.DateTimeField(verbose_name="asked")),
                ("decided_at", models.DateTimeField(null=True, verbose_name="decided")),
            ],
            options={
                "verbose_name": "merge to approve",
                "verbose_name_plural": "merges to approve",
            },
        ),
        migrations.CreateModel(
            name="Plan",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("code", models.SlugField(max_length=20, unique=True, verbose_name="code")),
                ("name_en", models.CharField(max_length=40, verbose_name="name (English)")),
                ("name_zh_hans", models.CharField(blank=True, max_length=40, verbose_name="name (简体中文)")),
                ("name_zh_hant", models.CharField(blank=True, max_length=40, verbose_name="name (繁體中文)")),
                ("description_en", models.TextField(blank=True, verbose_name="description (English)")),
                ("description_zh_hans", models.TextField(blank=True, verbose_name="description (简体中文)")),
                ("description_zh_hant", models.TextField(blank=True, verbose_name="description (繁體中文)")),
                ("perks_en", models.TextField(blank=True, help_text="One a line.", verbose_name="perks (English)")),
                ("perks_zh_hans", models.TextField(blank=True, verbose_name="perks (简体中文)")),
                ("perks_zh_hant", models.TextField(blank=True, verbose_name="perks (繁體中文)")),
                (
                    "price",
                    models.PositiveBigIntegerField(
                        help_text="For one period, with tax.", verbose_name="price in minor units"
                    ),
                ),
                (
                    "currency",
                    models.CharField(
                        default="GBP",
                        max_length=3,
                        validators=[
                            django.core.validators.RegexValidator(
                                "^[A-Z]{3}$", "A currency has three letters, such as GBP."
                            )
                        ],
                        verbose_name="currency",
                    ),
                ),
                (
                    "months",
                    models.PositiveSmallIntegerField(
                        default=12,
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(36),
                        ],
                        verbose_name="months in a period",
                    ),
                ),
                (
                    "trial_days",
                    models.PositiveSmallIntegerField(
                        default=0,
                        help_text="0: no trial.",
                        validators=[django.core.validators.MaxValueValidator(365)],
                        verbose_name="days of trial",
                    ),
                ),
                (
                    "tier_code",
                    models.SlugField(
                        blank=True,
                        help_text="Code of the tier that is held while it is paid.",
                        max_length=20,
                        verbose_name="protected tier",
                    ),
                ),
                ("gift_points", models.PositiveIntegerField(default=0, verbose_name="points given each paid period")),
                ("is_active", models.BooleanField(default=True, verbose_name="on sale")),
                ("sold_from", models.DateTimeField(blank=True, null=True, verbose_name="sold from")),
                ("sold_until", models.DateTimeField(blank=True, null=True, verbose_name="sold until")),
            ],
            options={
                "verbose_name": "plan",
                "verbose_name_plural": "plans",
            },
        ),
        migrations.CreateModel(
            name="PlanPayment",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "purpose",
                    models.CharField(
                        choices=[
                            ("FIRST", "first period"),
                            ("RENEWAL", "next period"),
                            ("UPGRADE", "change to a larger plan"),
                        ],
                        max_length=8,
                        verbose_name="for",
                    ),
                ),
                ("period_start", models.DateTimeField(verbose_name="period from")),
                ("amount", models.PositiveBigIntegerField(verbose_name="amount")),
                ("currency", models.CharField(max_length=3, verbose_name="currency")),
                ("credit_given", models.PositiveBigIntegerField(default=0, verbose_name="credit for unused days")),
                ("credit_used", models.PositiveBigIntegerField(default=0, verbose_name="credit used")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("PENDING", "asked for"),
                            ("PAID", "paid"),
                            ("FAILED", "declined"),
                            ("REFUNDED", "given back"),
                        ],
                        default="PENDING",
                        max_length=8,
                        verbose_name="state",
                    ),
                ),
                ("attempts", models.PositiveSmallIntegerField(default=0, verbose_name="declined")),
                ("next_try_at", models.DateTimeField(null=True, verbose_name="next try")),
                (
                    "provider_reference",
                    models.CharField(blank=True, max_length=120, verbose_name="reference at the provider"),
                ),
                ("refund_due", models.PositiveBigIntegerField(default=0, verbose_name="to give back")),
                ("refunded", models.PositiveBigIntegerField(default=0, verbose_name="given back")),
                ("at", models.DateTimeField(verbose_name="asked for")),
                ("paid_at", models.DateTimeField(null=True, verbose_name="paid")),
            ],
            options={
                "verbose_name": "plan payment",
                "verbose_name_plural": "plan payments",
            },
        ),
        migrations.CreateModel(
            name="PlanStep",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "what",
                    models.CharField(
                        choices=[
                            ("CANCEL", "cancelled"),
                            ("CANCEL_NOW", "cancelled at once"),
                            ("PAUSE", "paused"),
                            ("RESUME", "carried on"),
                            ("CHANGE", "changed plan"),
                        ],
                        max_length=10,
                        verbose_name="what",
                    ),
                ),
                ("key", models.CharField(editable=False, max_length=120, unique=True)),
                ("amount", models.BigIntegerField(default=0, verbose_name="amount")),
                ("at", models.DateTimeField(verbose_name="at")),
            ],
            options={
                "verbose_name": "step of a subscription",
                "verbose_name_plural": "steps of subscriptions",
            },
        ),
        migrations.CreateModel(
            name="PointsGift",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("points", models.PositiveIntegerField(verbose_name="points")),
                ("note", models.CharField(blank=True, max_length=140, verbose_name="note")),
                ("key", models.CharField(editable=False, max_length=64)),
                ("at", models.DateTimeField(verbose_name="given")),
            ],
            options={
                "verbose_name": "gift of points",
                "verbose_name_plural": "gifts of points",
            },
        ),
        migrations.CreateModel(
            name="ReceiptClaim",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "number",
                    models.CharField(
                        help_text="Capitals, without blanks.", max_length=60, verbose_name="document number"
                    ),
                ),
                ("day", models.DateField(verbose_name="day")),
                ("currency", models.CharField(max_length=3, verbose_name="currency")),
                ("amount", models.BigIntegerField(verbose_name="amount (minor units)")),
                ("picture", models.BinaryField(null=True, verbose_name="photo of the receipt")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("WAITING", "waiting"),
                            ("MATCHED", "found"),
                            ("APPROVED", "approved"),
                            ("REFUSED", "refused"),
                        ],
                        default="WAITING",
                        max_length=8,
                        verbose_name="state",
                    ),
                ),
                ("reason", models.CharField(blank=True, max_length=300, verbose_name="reason")),
                ("points", models.BigIntegerField(null=True, verbose_name="points")),
                ("claimed_at", models.DateTimeField(verbose_name="claimed")),
                ("decided_at", models.DateTimeField(null=True, verbose_name="decided")),
            ],
            options={
                "verbose_name": "claim of a receipt",
                "verbose_name_plural": "claims of receipts",
            },
        ),
        migrations.CreateModel(
            name="RuleReplay",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("rule_ids", models.JSONField(default=list, verbose_name="rules")),
                ("names", models.JSONField(default=list)),
                ("since", models.DateTimeField(verbose_name="purchases from")),
                ("until", models.DateTimeField(verbose_name="purchases until")),
                (
                    "state",
                    models.CharField(
                        choices=[("WAITING", "waiting"), ("RUNNING", "running"), ("DONE", "done")],
                        default="WAITING",
                        max_length=8,
                        verbose_name="state",
                    ),
                ),
                ("result", models.JSONField(default=dict, verbose_name="result")),
                ("requested_at", models.DateTimeField(verbose_name="asked")),
                ("finished_at", models.DateTimeField(null=True, verbose_name="finished")),
            ],
            options={
                "verbose_name": "replay of rules",
                "verbose_name_plural": "replays of rules",
            },
        ),
        migrations.CreateModel(
            name="SegmentMembership",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("segment", models.SlugField(max_length=60, verbose_name="segment")),
                ("since", models.DateTimeField(verbose_name="since")),
            ],
            options={
                "verbose_name": "segment membership",
                "verbose_name_plural": "segment memberships",
            },
        ),
        migrations.CreateModel(
            name="StandInCharge",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.CharField(max_length=120, unique=True)),
                ("reference", models.CharField(max_length=40)),
                ("amount", models.PositiveBigIntegerField()),
                ("currency", models.CharField(max_length=3)),
                ("outcome", models.CharField(max_length=8)),
                ("asked", models.PositiveIntegerField(default=0)),
                ("refunded", models.PositiveBigIntegerField(default=0)),
            ],
            options={
                "verbose_name": "charge of the stand-in provider",
                "verbose_name_plural": "charges of the stand-in provider",
            },
        ),
        migrations.CreateModel(
            name="Subscription",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("WAITING", "waits for the first payment"),
                            ("TRIAL", "trial"),
                            ("ACTIVE", "paid"),
                            ("PAST_DUE", "payment is late"),
                            ("PAUSED", "paused"),
                            ("CANCELLED", "cancelled, runs until its end"),
                            ("ENDED", "ended"),
                        ],
                        max_length=9,
                        verbose_name="state",
                    ),
                ),
                ("key", models.CharField(editable=False, max_length=120, unique=True)),
                ("started_at", models.DateTimeField(verbose_name="started")),
                ("ended_at", models.DateTimeField(null=True, verbose_name="ended")),
                ("period_from", models.DateTimeField(null=True, verbose_name="period from")),
                ("period_until", models.DateTimeField(help_text="Exclusive.", null=True, verbose_name="period until")),
                ("trial_until", models.DateTimeField(null=True, verbose_name="trial until")),
                ("anchor", models.DateField(editable=False, null=True)),
                ("months_from_anchor", models.PositiveIntegerField(default=0, editable=False)),
                ("period_days", models.PositiveIntegerField(default=0, verbose_name="days in the period")),
                ("period_value", models.PositiveBigIntegerField(default=0, verbose_name="worth of the period")),
                (
                    "credit",
                    models.PositiveBigIntegerField(
                        default=0, help_text="Taken off the next payments.", verbose_name="credit"
                    ),
                ),
                ("price", models.PositiveBigIntegerField(verbose_name="price agreed")),
                ("currency", models.CharField(max_length=3, verbose_name="currency")),
                ("paused_at", models.DateTimeField(null=True, verbose_name="paused")),
                ("days_left", models.PositiveIntegerField(default=0, verbose_name="days left when paused")),
                ("provider", models.CharField(max_length=20, verbose_name="paid by")),
                (
                    "provider_reference",
                    models.CharField(blank=True, max_length=120, verbose_name="reference at the provider"),
                ),
                ("grants", models.PositiveIntegerField(default=0, editable=False)),
                ("granted_code", models.CharField(blank=True, editable=False, max_length=20)),
            ],
            options={
                "verbose_name": "subscription",
                "verbose_name_plural": "subscriptions",
            },
        ),
        migrations.CreateModel(
            name="TierGrant",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.CharField(max_length=120, unique=True, verbose_name="key")),
                (
                    "why",
                    models.CharField(
                        choices=[
                            ("MANUAL", "decided by staff"),
                            ("IMPORTED", "brought from another programme"),
                            ("PAID", "paid for"),
                        ],
                        max_length=8,
                        verbose_name="why",
                    ),
                ),
                ("reason", models.CharField(max_length=300, verbose_name="reason")),
                ("holds_down", models.BooleanField(default=False, verbose_name="holds down")),
                ("from_at", models.DateTimeField(verbose_name="since")),
                ("until_at", models.DateTimeField(null=True, verbose_name="until")),
                ("ended_at", models.DateTimeField(null=True, verbose_name="ended early")),
            ],
            options={
                "verbose_name": "tier by decision",
                "verbose_name_plural": "tiers by decision",
            },
        ),
        migrations.CreateModel(
            name="TrialUse",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("contact_hash", models.CharField(editable=False, max_length=64, unique=True)),
                ("at", models.DateTimeField(verbose_name="at")),
            ],
            options={
                "verbose_name": "used trial",
                "verbose_name_plural": "used trials",
            },
        ),
        migrations.CreateModel(
            name="UnclaimedPurchase",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("source", models.CharField(max_length=40, verbose_name="source")),
                ("number", models.CharField(max_length=60, verbose_name="document number")),
                ("content", models.JSONField(verbose_name="content")),
                ("content_hash", models.CharField(editable=False, max_length=64)),
                ("purchased_at", models.DateTimeField(verbose_name="purchased")),
                ("day", models.DateField(help_text="The local day, as on the receipt.", verbose_name="day")),
                ("currency", models.CharField(max_length=3, verbose_name="currency")),
                ("amount", models.BigIntegerField(verbose_name="amount (minor units)")),
                ("receipt", models.CharField(editable=False, max_length=60)),
                ("invoice", models.CharField(blank=True, default="", max_length=20, verbose_name="invoice number")),
                (
                    "state",
                    models.CharField(
                        choices=[("OPEN", "can be claimed"), ("CLAIMED", "claimed"), ("EXPIRED", "nobody came")],
                        default="OPEN",
                        max_length=8,
                        verbose_name="state",
                    ),
                ),
                ("kept_at", models.DateTimeField(verbose_name="kept")),
                ("settled_at", models.DateTimeField(null=True, verbose_name="settled")),
            ],
            options={
                "verbose_name": "purchase without member",
                "verbose_name_plural": "purchases without member",
            },
        ),
        migrations.RemoveConstraint(
            model_name="pointsentry",
            name="points_entry_sign_fits_kind",
        ),
        migrations.RenameField(
            model_name="pointsentry",
            old_name="reverses_id",
            new_name="related_id",
        ),
        migrations.AddField(
            model_name="earningrule",
            name="base",
            field=models.CharField(
                choices=[
                    ("LINES", "the lines that count, with tax"),
                    ("LINES_NET", "the lines that count, without tax"),
                    ("PURCHASE", "the whole purchase, with tax"),
                    ("PURCHASE_NET", "the whole purchase, without tax"),
                ],
                default="LINES",
                max_length=12,
                verbose_name="amount",
            ),
        ),
        migrations.AddField(
            model_name="earningrule",
            name="before_discount",
            field=models.BooleanField(default=False, verbose_name="the discount counts"),
        ),
        migrations.AddField(
            model_name="earningrule",
            name="counts_gift_card",
            field=models.BooleanField(default=True, verbose_name="the part paid by gift card counts"),
        ),
        migrations.AddField(
            model_name="earningrule",
            name="counts_points_paid",
            field=models.BooleanField(default=True, verbose_name="the part paid with points counts"),
        ),
        migrations.AddField(
            model_name="earningrule",
            name="counts_shipping",
            field=models.BooleanField(
                default=True, help_text="Only where the whole purchase is the amount.", verbose_name="shipping counts"
            ),
        ),
        migrations.AddField(
            model_name="earningrule",
            name="event_kind",
            field=models.CharField(
                blank=True,
                help_text="As in the event log, such as member.joined.",
                max_length=40,
                verbose_name="kind of event",
            ),
        ),
        migrations.AddField(
            model_name="earningrule",
            name="excluded_brands",
            field=models.JSONField(blank=True, default=list, verbose_name="without these brands"),
        ),
        migrations.AddField(
            model_name="earningrule",
            name="excluded_stores",
            field=models.JSONField(blank=True, default=list, verbose_name="not in these stores"),
        ),
        migrations.AddField(
            model_name="earningrule",
            name="expiry_months",
            field=models.PositiveSmallIntegerField(
                blank=True,
                help_text="Empty: as the programme says. 0: to the end of that day.",
                null=True,
                validators=[django.core.validators.MaxValueValidator(1200)],
                verbose_name="these points last for months",
            ),
        ),
        migrations.AddField(
            model_name="earningrule",
            name="group",
            field=models.CharField(blank=True, max_length=40, verbose_name="group"),
        ),
        migrations.AddField(
            model_name="earningrule",
            name="group_mode",
            field=models.CharField(
                choices=[
                    ("ADD", "all add up"),
                    ("FIRST", "the first that applies gives alone"),
                    ("BEST", "the one that gives most gives alone"),
                ],
                default="ADD",
                max_length=5,
                verbose_name="in its group",
            ),
        ),
        migrations.AddField(
            model_name="earningrule",
            name="hours_from",
            field=models.TimeField(blank=True, null=True, verbose_name="from (time of day)"),
        ),
        migrations.AddField(
            model_name="earningrule",
            name="hours_until",
            field=models.TimeField(blank=True, null=True, verbose_name="until (time of day)"),
        ),
        migrations.AddField(
            model_name="earningrule",
            name="kind",
            field=models.CharField(
                choices=[
                    ("AMOUNT", "points per amount"),
                    ("ITEM", "points per item"),
                    ("PURCHASE", "points per purchase"),
                    ("MULTIPLIER", "multiplies what the other rules give"),
                    ("EVENT", "points per event"),
                ],
                default="AMOUNT",
                max_length=10,
                verbose_name="gives",
            ),
        ),
        migrations.AddField(
            model_name="earningrule",
            name="made_at",
            field=models.DateTimeField(
                db_default=django.db.models.functions.datetime.Now(), editable=False, verbose_name="made"
            ),
        ),
        migrations.AddField(
            model_name="earningrule",
            name="minimum_rank",
            field=models.PositiveSmallIntegerField(default=0, verbose_name="from the tier of rank"),
        ),
        migrations.AddField(
            model_name="earningrule",
            name="multiplier",
            field=models.DecimalField(
                decimal_places=3,
                default=Decimal("1"),
                max_digits=7,
                validators=[django.core.validators.MinValueValidator(1)],
                verbose_name="factor",
            ),
        ),
        migrations.AddField(
            model_name="earningrule",
            name="never_expires",
            field=models.BooleanField(default=False, verbose_name="these points never expire"),
        ),
        migrations.AddField(
            model_name="earningrule",
            name="only_brands",
            field=models.JSONField(blank=True, default=list, verbose_name="only these brands"),
        ),
        migrations.AddField(
            model_name="earningrule",
            name="only_segments",
            field=models.JSONField(blank=True, default=list, verbose_name="only these segments"),
        ),
        migrations.AddField(
            model_name="earningrule",
            name="only_skus",
            field=models.JSONField(blank=True, default=list, verbose_name="only these articles (SKU)"),
        ),
        migrations.AddField(
            model_name="earningrule",
            name="only_stores",
            field=models.JSONField(blank=True, default=list, verbose_name="only in these stores"),
        ),
        migrations.AddField(
            model_name="earningrule",
            name="only_tiers",
            field=models.JSONField(blank=True, default=list, verbose_name="only these tiers"),
        ),
        migrations.AddField(
            model_name="earningrule",
            name="pending_days",
            field=models.PositiveSmallIntegerField(
                default=0, validators=[django.core.validators.MaxValueValidator(3650)], verbose_name="usable after days"
            ),
        ),
        migrations.AddField(
            model_name="earningrule",
            name="pending_event",
            field=models.CharField(
                blank=True,
                max_length=40,
                validators=[
                    django.core.validators.RegexValidator(
                        "^purchase\\.[a-z_]+$", "An event of a purchase, such as purchase.delivered."
                    )
                ],
                verbose_name="usable after the event",
            ),
        ),
        migrations.AddField(
            model_name="earningrule",
            name="point_type",
            field=models.CharField(
                choices=[("SPENDABLE", "points"), ("STATUS", "status points")],
                default="SPENDABLE",
                max_length=10,
                verbose_name="points of type",
            ),
        ),
        migrations.AddField(
            model_name="earningrule",
            name="priority",
            field=models.SmallIntegerField(default=0, help_text="The highest comes first.", verbose_name="priority"),
        ),
        migrations.AddField(
            model_name="earningrule",
            name="weekdays",
            field=models.JSONField(blank=True, default=list, verbose_name="only on these days"),
        ),
        migrations.AddField(
            model_name="jobrun",
            name="as_of",
            field=models.DateTimeField(
                help_text="The instant it works for; empty: its own now.", null=True, verbose_name="as of"
            ),
        ),
        migrations.AddField(
            model_name="member",
            name="merged_into",
            field=models.ForeignKey(
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="merged_members",
                to="members.member",
            ),
        ),
        migrations.AddField(
            model_name="person",
            name="carrier",
            field=models.CharField(blank=True, default="", max_length=8, verbose_name="invoice carrier"),
        ),
        migrations.AddField(
            model_name="person",
            name="carrier_is_key_since",
            field=models.DateTimeField(editable=False, null=True, verbose_name="carrier may find the card since"),
        ),
        migrations.AddField(
            model_name="pointsaccount",
            name="blocked_at",
            field=models.DateTimeField(editable=False, null=True, verbose_name="spending stopped since"),
        ),
        migrations.AddField(
            model_name="pointsentry",
            name="point_type",
            field=models.CharField(
                choices=[("SPENDABLE", "points"), ("STATUS", "status points")],
                default="SPENDABLE",
                max_length=10,
                verbose_name="points of type",
            ),
        ),
        migrations.AddField(
            model_name="pointslot",
            name="has_own_end",
            field=models.BooleanField(db_default=False, default=False, verbose_name="has an end of its own"),
        ),
        migrations.AddField(
            model_name="pointslot",
            name="moved_from_id",
            field=models.BigIntegerField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name="pointslot",
            name="notice_due",
            field=models.BooleanField(default=False, verbose_name="ends only after a notice"),
        ),
        migrations.AddField(
            model_name="programme",
            name="claim_days",
            field=models.PositiveSmallIntegerField(
                default=30,
                validators=[django.core.validators.MinValueValidator(1)],
                verbose_name="a forgotten purchase can be claimed for days",
            ),
        ),
        migrations.AddField(
            model_name="programme",
            name="claims_per_day",
            field=models.PositiveSmallIntegerField(
                default=5,
                help_text="How many one member may make.",
                validators=[django.core.validators.MinValueValidator(1)],
                verbose_name="claims of forgotten purchases a day",
            ),
        ),
        migrations.AddField(
            model_name="programme",
            name="companies_earn",
            field=models.BooleanField(default=True, verbose_name="purchases with a company's tax number earn points"),
        ),
        migrations.AddField(
            model_name="programme",
            name="cost_of_thousand_points",
            field=models.PositiveIntegerField(
                blank=True,
                help_text="For the report of what the points out there are worth. Empty: the report counts points only.",
                null=True,
                verbose_name="1,000 points cost the programme (minor units)",
            ),
        ),
        migrations.AddField(
            model_name="programme",
            name="earning_rounding",
            field=models.CharField(
                choices=[
                    ("FLOOR", "down: 28.5 is 28"),
                    ("NEAREST", "to the nearest: 28.5 is 29"),
                    ("CEILING", "up: 28.1 is 29"),
                ],
                default="FLOOR",
                help_text="Once, after all rules and multipliers.",
                max_length=8,
                verbose_name="points are rounded",
            ),
        ),
        migrations.AddField(
            model_name="programme",
            name="expiry_dates",
            field=models.CharField(
                blank=True,
                help_text="Month and day, such as 12-31, or several: 06-30, 12-31.",
                max_length=120,
                validators=[members.programme.models.validate_month_days],
                verbose_name="until the next of these days",
            ),
        ),
        migrations.AddField(
            model_name="programme",
            name="expiry_days",
            field=models.PositiveSmallIntegerField(blank=True, null=True, verbose_name="this many days"),
        ),
        migrations.AddField(
            model_name="programme",
            name="expiry_policy",
            field=models.CharField(
                choices=[
                    ("NEVER", "for ever"),
                    ("DAYS", "a number of days"),
                    ("MONTHS", "a number of months"),
                    ("CALENDAR", "until a fixed day of the calendar"),
                    ("INACTIVITY", "a number of months after the last activity"),
                ],
                default="MONTHS",
                help_text="A change counts for points that become usable from now on; dates already given are kept.",
                max_length=10,
                verbose_name="points last",
            ),
        ),
        migrations.AddField(
            model_name="programme",
            name="expiry_round_up",
            field=models.CharField(
                choices=[
                    ("NONE", "day"),
                    ("MONTH", "month"),
                    ("QUARTER", "quarter"),
                    ("HALF_YEAR", "half-year"),
                    ("YEAR", "year"),
                ],
                default="MONTH",
                max_length=10,
                verbose_name="to the end of that",
            ),
        ),
        migrations.AddField(
            model_name="programme",
            name="expiry_years_later",
            field=models.PositiveSmallIntegerField(
                default=0,
                help_text="0: the next such day. 1 with 03-31: the points of a year end on 31 March of the year after.",
                validators=[django.core.validators.MaxValueValidator(50)],
                verbose_name="in the year so many years later",
            ),
        ),
        migrations.AddField(
            model_name="programme",
            name="hold_hours",
            field=models.PositiveSmallIntegerField(
                default=72,
                help_text="Points set aside for a purchase go back by themselves after so many hours.",
                validators=[django.core.validators.MinValueValidator(1)],
                verbose_name="a hold lasts for hours",
            ),
        ),
        migrations.AddField(
            model_name="programme",
            name="household_size",
            field=models.PositiveSmallIntegerField(
                default=6,
                help_text="At most so many pool their points.",
                validators=[django.core.validators.MinValueValidator(2), django.core.validators.MaxValueValidator(20)],
                verbose_name="members in a household",
            ),
        ),
        migrations.AddField(
            model_name="programme",
            name="inactivity_purchases",
            field=models.BooleanField(default=True, verbose_name="a purchase is activity"),
        ),
        migrations.AddField(
            model_name="programme",
            name="inactivity_redemptions",
            field=models.BooleanField(default=True, verbose_name="redeeming is activity"),
        ),
        migrations.AddField(
            model_name="programme",
            name="inactivity_since",
            field=models.DateField(editable=False, null=True, verbose_name="rule of inactivity since"),
        ),
        migrations.AddField(
            model_name="programme",
            name="members_may_reinstate",
            field=models.BooleanField(default=False, verbose_name="members may bring expired points back themselves"),
        ),
        migrations.AddField(
            model_name="programme",
            name="notice_days",
            field=models.PositiveSmallIntegerField(
                blank=True,
                default=14,
                help_text="A reminder must have been sent; who cannot be reached keeps the points. Empty: points end without notice.",
                null=True,
                validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(365)],
                verbose_name="points end only this many days after the member was told",
            ),
        ),
        migrations.AddField(
            model_name="programme",
            name="reinstate_days",
            field=models.PositiveSmallIntegerField(
                blank=True,
                help_text="Counted from the day they expired. Empty: they cannot come back.",
                null=True,
                validators=[django.core.validators.MaxValueValidator(3650)],
                verbose_name="expired points can come back for days",
            ),
        ),
        migrations.AddField(
            model_name="programme",
            name="reinstated_for_days",
            field=models.PositiveSmallIntegerField(
                default=30,
                validators=[django.core.validators.MinValueValidator(1)],
                verbose_name="points that came back last for days",
            ),
        ),
        migrations.AddField(
            model_name="programme",
            name="transfer_daily_limit",
            field=models.PositiveIntegerField(
                blank=True,
                default=1000,
                help_text="Empty: no limit.",
                null=True,
                verbose_name="at most so many points a day",
            ),
        ),
        migrations.AddField(
            model_name="programme",
            name="transfer_minimum",
            field=models.PositiveIntegerField(
                default=1,
                validators=[django.core.validators.MinValueValidator(1)],
                verbose_name="at least so many points at once",
            ),
        ),
        migrations.AddField(
            model_name="programme",
            name="transfer_yearly_limit",
            field=models.PositiveIntegerField(
                blank=True,
                default=10000,
                help_text="Empty: no limit.",
                null=True,
                verbose_name="at most so many points a year",
            ),
        ),
        migrations.AddField(
            model_name="programme",
            name="transfers_enabled",
            field=models.BooleanField(default=False, verbose_name="members may give points to each other"),
        ),
        migrations.AddField(
            model_name="purchase",
            name="buyer_tax_id",
            field=models.CharField(blank=True, default="", max_length=20, verbose_name="buyer's tax number"),
        ),
        migrations.AddField(
            model_name="purchase",
            name="gift_card_paid",
            field=models.BigIntegerField(null=True, verbose_name="paid by gift card"),
        ),
        migrations.AddField(
            model_name="purchase",
            name="invoice",
            field=models.CharField(blank=True, default="", max_length=20, verbose_name="invoice number"),
        ),
        migrations.AddField(
            model_name="purchase",
            name="points_paid",
            field=models.BigIntegerField(null=True, verbose_name="paid with points"),
        ),
        migrations.AddField(
            model_name="purchase",
            name="shipping",
            field=models.BigIntegerField(null=True, verbose_name="shipping"),
        ),
        migrations.AddField(
            model_name="purchaseline",
            name="brand",
            field=models.CharField(blank=True, default="", max_length=60, verbose_name="brand"),
        ),
        migrations.AddField(
            model_name="purchaseline",
            name="discount",
            field=models.BigIntegerField(null=True, verbose_name="discount taken off"),
        ),
        migrations.AddField(
            model_name="purchaseline",
            name="tax",
            field=models.BigIntegerField(null=True, verbose_name="tax contained"),
        ),
        migrations.AddField(
            model_name="return",
            name="by_amount",
            field=models.BooleanField(default=False, verbose_name="amount only"),
        ),
        migrations.AddField(
            model_name="return",
            name="kind",
            field=models.CharField(
                choices=[
                    ("RETURN", "return"),
                    ("VOID", "void: the whole purchase"),
                    ("ALLOWANCE", "allowance: money without goods"),
                ],
                default="RETURN",
                max_length=9,
                verbose_name="kind",
            ),
        ),
        migrations.AddField(
            model_name="return",
            name="purchase",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="named_returns",
                to="members.purchase",
            ),
        ),
        migrations.AddField(
            model_name="return",
            name="settlement",
            field=models.CharField(
                choices=[("REFUND", "refund"), ("STORE_CREDIT", "store credit"), ("EXCHANGE", "exchange")],
                default="REFUND",
                max_length=12,
                verbose_name="settled by",
            ),
        ),
        migrations.AddField(
            model_name="standing",
            name="earned",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="members.tier",
            ),
        ),
        migrations.AddField(
            model_name="standing",
            name="figures",
            field=models.JSONField(default=dict, verbose_name="figures"),
        ),
        migrations.AddField(
            model_name="standing",
            name="grace_until",
            field=models.DateTimeField(null=True, verbose_name="grace until"),
        ),
        migrations.AddField(
            model_name="standing",
            name="granted_until",
            field=models.DateTimeField(null=True, verbose_name="held by decision until"),
        ),
        migrations.AddField(
            model_name="standing",
            name="held_since",
            field=models.DateTimeField(null=True, verbose_name="tier held since"),
        ),
        migrations.AddField(
            model_name="tier",
            name="also_points",
            field=models.PositiveBigIntegerField(blank=True, null=True, verbose_name="and points"),
        ),
        migrations.AddField(
            model_name="tier",
            name="also_purchases",
            field=models.PositiveIntegerField(blank=True, null=True, verbose_name="and purchases"),
        ),
        migrations.AddField(
            model_name="tier",
            name="also_referrals",
            field=models.PositiveIntegerField(blank=True, null=True, verbose_name="and friends brought"),
        ),
        migrations.AddField(
            model_name="tier",
            name="also_spend",
            field=models.PositiveBigIntegerField(blank=True, null=True, verbose_name="and money spent (minor units)"),
        ),
        migrations.AddField(
            model_name="tier",
            name="also_tenure",
            field=models.PositiveSmallIntegerField(blank=True, null=True, verbose_name="and months since joining"),
        ),
        migrations.AddField(
            model_name="tier",
            name="birthday_percent",
            field=models.PositiveSmallIntegerField(default=0, verbose_name="birthday gift raised by percent"),
        ),
        migrations.AddField(
            model_name="tier",
            name="birthday_points",
            field=models.PositiveIntegerField(default=0, verbose_name="more points on the birthday"),
        ),
        migrations.AddField(
            model_name="tier",
            name="expiry_months",
            field=models.PositiveSmallIntegerField(
                blank=True,
                help_text="For points earned in this tier, instead of what the programme says. Empty: as the programme.",
                null=True,
                verbose_name="points last for months",
            ),
        ),
        migrations.AddField(
            model_name="tier",
            name="gift_en",
            field=models.CharField(blank=True, max_length=120, verbose_name="gift in words (English)"),
        ),
        migrations.AddField(
            model_name="tier",
            name="gift_points",
            field=models.PositiveIntegerField(default=0, verbose_name="gift on reaching it (points)"),
        ),
        migrations.AddField(
            model_name="tier",
            name="gift_zh_hans",
            field=models.CharField(blank=True, max_length=120, verbose_name="gift in words (简体中文)"),
        ),
        migrations.AddField(
            model_name="tier",
            name="gift_zh_hant",
            field=models.CharField(blank=True, max_length=120, verbose_name="gift in words (繁體中文)"),
        ),
        migrations.AddField(
            model_name="tier",
            name="is_never_lost",
            field=models.BooleanField(
                default=False, help_text="No review takes a member below this tier.", verbose_name="never lost"
            ),
        ),
        migrations.AddField(
            model_name="tierset",
            name="combine",
            field=models.CharField(
                choices=[("ALL", "all that a tier asks for"), ("ANY", "any one of what a tier asks for")],
                default="ALL",
                max_length=3,
                verbose_name="where a tier asks for more than that, it takes",
            ),
        ),
        migrations.AddField(
            model_name="tierset",
            name="drop",
            field=models.CharField(
                choices=[
                    ("FULL", "to what the member still reaches"),
                    ("ONE", "one step down at most"),
                    ("NONE", "never"),
                ],
                default="FULL",
                max_length=4,
                verbose_name="a review lowers",
            ),
        ),
        migrations.AddField(
            model_name="tierset",
            name="grace_days",
            field=models.PositiveSmallIntegerField(default=0, verbose_name="days of grace after a failed review"),
        ),
        migrations.AddField(
            model_name="tierset",
            name="grace_months",
            field=models.PositiveSmallIntegerField(default=0, verbose_name="months of grace after a failed review"),
        ),
        migrations.AddField(
            model_name="tierset",
            name="keep",
            field=models.CharField(
                choices=[
                    ("MONTHS", "to the end of the month, some months on"),
                    ("DAYS", "some days"),
                    ("PERIOD", "to the end of the running period"),
                    ("NEXT", "to the end of the next period"),
                ],
                default="MONTHS",
                max_length=6,
                verbose_name="a tier is kept",
            ),
        ),
        migrations.AddField(
            model_name="tierset",
            name="keep_days",
            field=models.PositiveSmallIntegerField(
                default=365,
                validators=[django.core.validators.MinValueValidator(1)],
                verbose_name="kept for days before a review can lower it",
            ),
        ),
        migrations.AddField(
            model_name="tierset",
            name="planned_at",
            field=models.DateTimeField(editable=False, null=True, verbose_name="takes effect"),
        ),
        migrations.AddField(
            model_name="tierset",
            name="point_type",
            field=models.CharField(
                choices=[("SPENDABLE", "points"), ("STATUS", "status points")],
                default="SPENDABLE",
                max_length=10,
                verbose_name="points that count",
            ),
        ),
        migrations.AddField(
            model_name="tierset",
            name="window",
            field=models.CharField(
                choices=[
                    ("MONTHS", "the last months"),
                    ("DAYS", "the last days"),
                    ("YEAR", "the calendar year"),
                    ("HALF", "the half-year"),
                    ("QUARTER", "the quarter"),
                    ("MONTH", "the month"),
                    ("JOINED", "the year since the day of joining"),
                    ("TIER", "the year since the tier began"),
                    ("LIFETIME", "everything since joining"),
                ],
                default="MONTHS",
                max_length=8,
                verbose_name="counted over",
            ),
        ),
        migrations.AddField(
            model_name="tierset",
            name="window_days",
            field=models.PositiveSmallIntegerField(
                default=365,
                validators=[django.core.validators.MinValueValidator(1)],
                verbose_name="counted over the last days",
            ),
        ),
        migrations.AlterField(
            model_name="earningrule",
            name="currency",
            field=models.CharField(
                blank=True,
                default="GBP",
                help_text="Empty: any, where no amount matters.",
                max_length=3,
                verbose_name="currency",
            ),
        ),
        migrations.AlterField(
            model_name="member",
            name="status",
            field=models.CharField(
                choices=[("ACTIVE", "active"), ("CLOSED", "closed"), ("MERGED", "merged into another")],
                default="ACTIVE",
                max_length=8,
                verbose_name="status",
            ),
        ),
        migrations.AlterField(
            model_name="pointsaccount",
            name="point_type",
            field=models.CharField(
                choices=[("SPENDABLE", "points"), ("STATUS", "status points")], default="SPENDABLE", max_length=12
            ),
        ),
        migrations.AlterField(
            model_name="pointsentry",
            name="contra",
            field=models.CharField(
                choices=[
                    ("ISSUED", "issued"),
                    ("REDEEMED", "redeemed"),
                    ("EXPIRED", "expired"),
                    ("ADJUSTED", "adjusted"),
                    ("REVERSED", "reversed"),
                    ("HELD", "held"),
                    ("TRANSFERRED", "transferred"),
                ],
                max_length=12,
                verbose_name="programme account",
            ),
        ),
        migrations.AlterField(
            model_name="pointsentry",
            name="kind",
            field=models.CharField(
                choices=[
                    ("EARN", "earned"),
                    ("GRANT", "gift"),
                    ("RETURN", "returned purchase"),
                    ("REDEEM", "redeemed"),
                    ("REFUND", "given back"),
                    ("EXPIRE", "expired"),
                    ("ADJUST", "adjusted"),
                    ("TAKE_BACK", "taken back"),
                    ("HOLD", "held"),
                    ("CAPTURE", "hold used"),
                    ("RELEASE", "hold released"),
                    ("TRANSFER", "transferred"),
                    ("REINSTATE", "reinstated"),
                ],
                max_length=10,
                verbose_name="kind",
            ),
        ),
        migrations.AlterField(
            model_name="pointslot",
            name="available_from",
            field=models.DateTimeField(null=True, verbose_name="usable from"),
        ),
        migrations.AlterField(
            model_name="pointslot",
            name="entry",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="lots",
                to="members.pointsentry",
            ),
        ),
        migrations.AlterField(
            model_name="programme",
            name="expiry_months",
            field=models.PositiveSmallIntegerField(
                blank=True,
                default=12,
                help_text="12 is a year; 0 is the same day. Also the months without activity.",
                null=True,
                validators=[django.core.validators.MaxValueValidator(600)],
                verbose_name="this many months",
            ),
        ),
        migrations.AlterField(
            model_name="purchaseline",
            name="amount",
            field=models.BigIntegerField(help_text="With tax, after discount.", verbose_name="amount (minor units)"),
        ),
        migrations.AlterField(
            model_name="standing",
            name="why",
            field=models.CharField(
                choices=[
                    ("JOINED", "joined"),
                    ("REACHED", "reached the threshold"),
                    ("KEPT", "kept at a review"),
                    ("REVIEW", "review"),
                    ("LADDER", "new version of the tiers"),
                    ("MANUAL", "decided by staff"),
                    ("IMPORTED", "brought from another programme"),
                    ("PAID", "paid for"),
                    ("ENDED", "a decision ended"),
                    ("MERGED", "joined with another membership"),
                ],
                max_length=8,
                verbose_name="why",
            ),
        ),
        migrations.AlterField(
            model_name="tierset",
            name="basis",
            field=models.CharField(
                choices=[
                    ("POINTS", "points earned by purchases"),
                    ("SPEND", "money spent, returns taken off"),
                    ("PURCHASE", "number of purchases"),
                    ("REFERRAL", "friends brought"),
                    ("TENURE", "months since joining"),
                ],
                default="POINTS",
                max_length=8,
                verbose_name="reached by",
            ),
        ),
        migrations.AddIndex(
            model_name="event",
            index=models.Index(
                condition=models.Q(("kind", "referral.granted")),
                fields=["member", "occurred_at"],
                name="event_referral",
            ),
        ),
        migrations.AddIndex(
            model_name="pointsentry",
            index=models.Index(
                condition=models.Q(("related_id__isnull", False)), fields=["related_id"], name="points_entry_related"
            ),
        ),
        migrations.AddIndex(
            model_name="pointsentry",
            index=models.Index(
                condition=models.Q(("kind__in", ["RETURN", "TAKE_BACK", "ADJUST"])),
                fields=["occurred_at"],
                name="points_entry_lowers",
            ),
        ),
        migrations.AddIndex(
            model_name="pointslot",
            index=models.Index(
                condition=models.Q(("moved_from_id__isnull", False)), fields=["moved_from_id"], name="points_lot_moved"
            ),
        ),
        migrations.AddIndex(
            model_name="return",
            index=models.Index(
                condition=models.Q(("purchase__isnull", False)), fields=["purchase"], name="return_named"
            ),
        ),
        migrations.AddConstraint(
            model_name="earningrule",
            constraint=models.CheckConstraint(
                condition=models.Q(("multiplier__gte", 1)), name="earning_rule_factor_adds"
            ),
        ),
        migrations.AddConstraint(
            model_name="earningrule",
            constraint=models.CheckConstraint(
                condition=models.Q(("never_expires", False), ("expiry_months", None), _connector="OR"),
                name="earning_rule_one_end",
            ),
        ),
        migrations.AddConstraint(
            model_name="person",
            constraint=models.UniqueConstraint(
                condition=models.Q(("carrier_is_key_since__isnull", False)),
                fields=("carrier",),
                name="person_carrier_key_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="pointsentry",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("kind__in", ["EARN", "GRANT", "REFUND", "CAPTURE", "RELEASE", "REINSTATE"]), ("points__gte", 0)
                    ),
                    models.Q(("kind__in", ["RETURN", "REDEEM", "EXPIRE", "TAKE_BACK", "HOLD"]), ("points__lte", 0)),
                    ("kind__in", ["ADJUST", "TRANSFER"]),
                    _connector="OR",
                ),
                name="points_entry_sign_fits_kind",
            ),
        ),
        migrations.AddConstraint(
            model_name="return",
            constraint=models.CheckConstraint(
                condition=models.Q(("by_amount", False), ("purchase__isnull", False), _connector="OR"),
                name="return_amount_names_purchase",
            ),
        ),
        migrations.AddConstraint(
            model_name="counter",
            constraint=models.UniqueConstraint(fields=("name", "member_id", "period"), name="counter_once"),
        ),
        migrations.AddConstraint(
            model_name="counter",
            constraint=models.CheckConstraint(condition=models.Q(("used__gte", 0)), name="counter_not_negative"),
        ),
        migrations.AddField(
            model_name="deadnumber",
            name="member",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="dead_numbers", to="members.member"
            ),
        ),
        migrations.AddField(
            model_name="earningcap",
            name="rules",
            field=models.ManyToManyField(
                blank=True,
                help_text="None chosen: all rules.",
                related_name="caps",
                to="members.earningrule",
                verbose_name="rules",
            ),
        ),
        migrations.AddField(
            model_name="hold",
            name="account",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                to="members.pointsaccount",
            ),
        ),
        migrations.AddField(
            model_name="hold",
            name="capture_entry",
            field=models.OneToOneField(
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="captured_hold",
                to="members.pointsentry",
            ),
        ),
        migrations.AddField(
            model_name="hold",
            name="entry",
            field=models.OneToOneField(
                db_constraint=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="hold",
                to="members.pointsentry",
            ),
        ),
        migrations.AddField(
            model_name="hold",
            name="member",
            field=models.ForeignKey(
                db_constraint=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="members.member"
            ),
        ),
        migrations.AddField(
            model_name="householdinvite",
            name="household",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="invites", to="members.household"
            ),
        ),
        migrations.AddField(
            model_name="householdinvite",
            name="invited_by",
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="members.member"),
        ),
        migrations.AddField(
            model_name="householdinvite",
            name="member",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="household_invites",
                to="members.member",
            ),
        ),
        migrations.AddField(
            model_name="householdmember",
            name="household",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="belongings", to="members.household"
            ),
        ),
        migrations.AddField(
            model_name="householdmember",
            name="member",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="households", to="members.member"
            ),
        ),
        migrations.AddField(
            model_name="householduse",
            name="giver",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="members.member"
            ),
        ),
        migrations.AddField(
            model_name="householduse",
            name="taker",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="members.member"
            ),
        ),
        migrations.AddField(
            model_name="lotchange",
            name="actor",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="lotchange",
            name="lot",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="changes",
                to="members.pointslot",
            ),
        ),
        migrations.AddField(
            model_name="lotchange",
            name="member",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="members.member",
            ),
        ),
        migrations.AddField(
            model_name="mergerequest",
            name="decided_by",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="mergerequest",
            name="loser",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="members.member",
                verbose_name="member that ends",
            ),
        ),
        migrations.AddField(
            model_name="mergerequest",
            name="requested_by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="mergerequest",
            name="survivor",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="members.member",
                verbose_name="member that stays",
            ),
        ),
        migrations.AddConstraint(
            model_name="plan",
            constraint=models.CheckConstraint(condition=models.Q(("months__gte", 1)), name="plan_has_months"),
        ),
        migrations.AddConstraint(
            model_name="plan",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("sold_from", None),
                    ("sold_until", None),
                    ("sold_until__gt", models.F("sold_from")),
                    _connector="OR",
                ),
                name="plan_sale_ends_after_it_begins",
            ),
        ),
        migrations.AddField(
            model_name="planpayment",
            name="plan",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="members.plan", verbose_name="plan"
            ),
        ),
        migrations.AddField(
            model_name="pointsgift",
            name="giver",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="points_given",
                to="members.member",
            ),
        ),
        migrations.AddField(
            model_name="pointsgift",
            name="taker",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="points_received",
                to="members.member",
            ),
        ),
        migrations.AddField(
            model_name="receiptclaim",
            name="decided_by",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="receiptclaim",
            name="member",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="receipt_claims",
                to="members.member",
            ),
        ),
        migrations.AddField(
            model_name="rulereplay",
            name="requested_by",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="segmentmembership",
            name="member",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="segments", to="members.member"
            ),
        ),
        migrations.AddField(
            model_name="subscription",
            name="member",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="subscriptions", to="members.member"
            ),
        ),
        migrations.AddField(
            model_name="subscription",
            name="next_plan",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="members.plan",
                verbose_name="plan from the next period",
            ),
        ),
        migrations.AddField(
            model_name="subscription",
            name="plan",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="members.plan", verbose_name="plan"
            ),
        ),
        migrations.AddField(
            model_name="planstep",
            name="subscription",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="steps", to="members.subscription"
            ),
        ),
        migrations.AddField(
            model_name="planpayment",
            name="subscription",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="payments", to="members.subscription"
            ),
        ),
        migrations.AddField(
            model_name="tiergrant",
            name="actor",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="tiergrant",
            name="member",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="tier_grants", to="members.member"
            ),
        ),
        migrations.AddField(
            model_name="tiergrant",
            name="tier",
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="members.tier"),
        ),
        migrations.AddField(
            model_name="standing",
            name="grant",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="members.tiergrant",
            ),
        ),
        migrations.AddIndex(
            model_name="standing",
            index=models.Index(
                condition=models.Q(("until_at", None)), fields=["keep_until"], name="standing_review_due"
            ),
        ),
        migrations.AddIndex(
            model_name="standing",
            index=models.Index(
                condition=models.Q(("granted_until__isnull", False), ("until_at", None)),
                fields=["granted_until"],
                name="standing_decision_ends",
            ),
        ),
        migrations.AddField(
            model_name="unclaimedpurchase",
            name="member",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="claimed_purchases",
                to="members.member",
            ),
        ),
        migrations.AddField(
            model_name="unclaimedpurchase",
            name="store",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="members.store",
            ),
        ),
        migrations.AddField(
            model_name="receiptclaim",
            name="unclaimed",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="claims",
                to="members.unclaimedpurchase",
            ),
        ),
        migrations.AddConstraint(
            model_name="earningcap",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("valid_from", None),
                    ("valid_until", None),
                    ("valid_until__gt", models.F("valid_from")),
                    _connector="OR",
                ),
                name="earning_cap_span_is_forward",
            ),
        ),
        migrations.AddConstraint(
            model_name="earningcap",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("of_everybody", False), models.Q(("period", "PURCHASE"), _negated=True), _connector="OR"
                ),
                name="earning_cap_budget_has_a_period",
            ),
        ),
        migrations.AddIndex(
            model_name="hold",
            index=models.Index(condition=models.Q(("state", "HELD")), fields=["expires_at"], name="hold_due"),
        ),
        migrations.AddConstraint(
            model_name="hold",
            constraint=models.CheckConstraint(condition=models.Q(("points__gt", 0)), name="hold_holds_something"),
        ),
        migrations.AddConstraint(
            model_name="hold",
            constraint=models.CheckConstraint(
                condition=models.Q(("captured__gte", 0), ("captured__lte", models.F("points"))),
                name="hold_captured_in_range",
            ),
        ),
        migrations.AddConstraint(
            model_name="hold",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("captured", 0), ("settled_at", None), ("state", "HELD")),
                    models.Q(("state", "HELD"), _negated=True),
                    _connector="OR",
                ),
                name="hold_open_is_whole",
            ),
        ),
        migrations.AddConstraint(
            model_name="householdinvite",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "OPEN")),
                fields=("household", "member"),
                name="household_invites_a_member_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="householdmember",
            constraint=models.UniqueConstraint(
                condition=models.Q(("left_at", None)), fields=("member",), name="household_one_at_a_time"
            ),
        ),
        migrations.AddConstraint(
            model_name="householdmember",
            constraint=models.UniqueConstraint(
                condition=models.Q(("left_at", None), ("role", "HEAD")),
                fields=("household",),
                name="household_one_head",
            ),
        ),
        migrations.AddConstraint(
            model_name="householdmember",
            constraint=models.CheckConstraint(
                condition=models.Q(("shares_points", False), ("consented_at__isnull", False), _connector="OR"),
                name="household_sharing_was_agreed",
            ),
        ),
        migrations.AddIndex(
            model_name="householduse",
            index=models.Index(fields=["giver", "at"], name="household_use_giver"),
        ),
        migrations.AddConstraint(
            model_name="householduse",
            constraint=models.CheckConstraint(
                condition=models.Q(("giver", models.F("taker")), _negated=True), name="household_use_of_another"
            ),
        ),
        migrations.AddConstraint(
            model_name="householduse",
            constraint=models.UniqueConstraint(fields=("key", "giver"), name="household_use_once"),
        ),
        migrations.AddConstraint(
            model_name="mergerequest",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "WAITING")), fields=("loser",), name="merge_request_one_waiting"
            ),
        ),
        migrations.AddConstraint(
            model_name="mergerequest",
            constraint=models.CheckConstraint(
                condition=models.Q(("loser", models.F("survivor")), _negated=True), name="merge_request_two_members"
            ),
        ),
        migrations.AddConstraint(
            model_name="mergerequest",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("decided_by", None),
                    models.Q(("decided_by", models.F("requested_by")), _negated=True),
                    _connector="OR",
                ),
                name="merge_request_two_persons",
            ),
        ),
        migrations.AddIndex(
            model_name="pointsgift",
            index=models.Index(fields=["giver", "at"], name="points_gift_giver"),
        ),
        migrations.AddIndex(
            model_name="pointsgift",
            index=models.Index(fields=["taker", "at"], name="points_gift_taker"),
        ),
        migrations.AddConstraint(
            model_name="pointsgift",
            constraint=models.UniqueConstraint(fields=("giver", "key"), name="points_gift_once_per_key"),
        ),
        migrations.AddConstraint(
            model_name="pointsgift",
            constraint=models.CheckConstraint(
                condition=models.Q(("points__gt", 0)), name="points_gift_gives_something"
            ),
        ),
        migrations.AddConstraint(
            model_name="pointsgift",
            constraint=models.CheckConstraint(
                condition=models.Q(("giver", models.F("taker")), _negated=True), name="points_gift_to_another"
            ),
        ),
        migrations.AddConstraint(
            model_name="segmentmembership",
            constraint=models.UniqueConstraint(fields=("segment", "member"), name="segment_membership_once"),
        ),
        migrations.AddIndex(
            model_name="subscription",
            index=models.Index(
                condition=models.Q(("state", "ENDED"), _negated=True), fields=["period_until"], name="subscription_due"
            ),
        ),
        migrations.AddConstraint(
            model_name="subscription",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "ENDED"), _negated=True),
                fields=("member",),
                name="subscription_one_open_per_member",
            ),
        ),
        migrations.AddConstraint(
            model_name="subscription",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("state__in", ["WAITING", "ENDED"]), ("period_until__gt", models.F("period_from")), _connector="OR"
                ),
                name="subscription_running_has_period",
            ),
        ),
        migrations.AddIndex(
            model_name="planpayment",
            index=models.Index(
                condition=models.Q(("next_try_at__isnull", False)), fields=["next_try_at"], name="plan_payment_try"
            ),
        ),
        migrations.AddConstraint(
            model_name="planpayment",
            constraint=models.UniqueConstraint(
                fields=("subscription", "period_start"), name="plan_payment_once_per_period"
            ),
        ),
        migrations.AddConstraint(
            model_name="planpayment",
            constraint=models.CheckConstraint(
                condition=models.Q(("refund_due__lte", models.F("amount")), ("refunded__lte", models.F("refund_due"))),
                name="plan_payment_refund_within_amount",
            ),
        ),
        migrations.AddIndex(
            model_name="unclaimedpurchase",
            index=models.Index(fields=["receipt"], name="unclaimed_receipt"),
        ),
        migrations.AddIndex(
            model_name="unclaimedpurchase",
            index=models.Index(
                condition=models.Q(("invoice", ""), _negated=True), fields=["invoice"], name="unclaimed_invoice"
            ),
        ),
        migrations.AddIndex(
            model_name="unclaimedpurchase",
            index=models.Index(condition=models.Q(("state", "OPEN")), fields=["day"], name="unclaimed_open"),
        ),
        migrations.AddConstraint(
            model_name="unclaimedpurchase",
            constraint=models.UniqueConstraint(fields=("source", "number"), name="unclaimed_purchase_once"),
        ),
        migrations.AddConstraint(
            model_name="unclaimedpurchase",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount__gte", 0)), name="unclaimed_amount_not_negative"
            ),
        ),
        migrations.AddConstraint(
            model_name="unclaimedpurchase",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("member", None), ("settled_at", None), ("state", "OPEN")),
                    models.Q(("state", "OPEN"), _negated=True),
                    _connector="OR",
                ),
                name="unclaimed_open_is_nobodys",
            ),
        ),
        migrations.AddIndex(
            model_name="receiptclaim",
            index=models.Index(fields=["member", "claimed_at"], name="receipt_claim_member"),
        ),
        migrations.AddIndex(
            model_name="receiptclaim",
            index=models.Index(fields=["number"], name="receipt_claim_number"),
        ),
        migrations.AddConstraint(
            model_name="receiptclaim",
            constraint=models.CheckConstraint(condition=models.Q(("amount__gt", 0)), name="receipt_claim_has_amount"),
        ),
        migrations.AddConstraint(
            model_name="receiptclaim",
            constraint=models.CheckConstraint(
                condition=models.Q(("state", "WAITING"), ("picture", None), _connector="OR"),
                name="receipt_picture_while_waiting",
            ),
        ),
    ]
