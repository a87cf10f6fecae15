"""Issues of coupons to many members, giveaways, and coupons on their way to a friend."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from members.lib import codes
from rewards.catalogue.models import Reward
from rewards.codes.models import Code
from rewards.coupons.querysets import GiveawayQuerySet
from rewards.redemption.models import Redemption


def new_issue_id() -> str:
    """Return a random public id of an issue."""
    return codes.random_token("iss")


def new_giveaway_id() -> str:
    """Return a random public id of a giveaway."""
    return codes.random_token("gwy")


class CouponIssue(models.Model):
    """One reward for no points to many members: prepared and reported first, then given by the job."""

    class State(models.TextChoices):
        PREPARED = "PREPARED", _("prepared, nothing given yet")
        RUNNING = "RUNNING", _("being given")
        DONE = "DONE", _("given")
        DROPPED = "DROPPED", _("dropped")

    public_id = models.CharField(max_length=24, unique=True, default=new_issue_id, editable=False)
    reward = models.ForeignKey(Reward, models.PROTECT, related_name="issues", verbose_name=_("reward"))
    reason = models.CharField(_("reason"), max_length=300)
    segment = models.SlugField(_("segment"), max_length=60, blank=True)
    state = models.CharField(_("state"), max_length=8, choices=State.choices, default=State.PREPARED)
    # Numbers of lines of an uploaded list; what stood in them is not kept.
    unmatched_lines = models.JSONField(_("lines that name nobody"), default=list)
    repeated_lines = models.JSONField(_("lines that name a member again"), default=list)
    prepared_by = models.ForeignKey("members.User", models.PROTECT, null=True, related_name="+")
    prepared_at = models.DateTimeField(_("prepared"))
    started_by = models.ForeignKey("members.User", models.PROTECT, null=True, related_name="+")
    started_at = models.DateTimeField(_("started"), null=True)
    finished_at = models.DateTimeField(_("finished"), null=True)

    class Meta:
        verbose_name = _("issue of coupons")
        verbose_name_plural = _("issues of coupons")
        indexes = [models.Index(fields=["id"], name="coupon_issue_running", condition=Q(state="RUNNING"))]

    def __str__(self) -> str:
        return self.public_id


class IssueRecipient(models.Model):
    """One member of one issue: the redemption that was given, or why none could be."""

    issue = models.ForeignKey(CouponIssue, models.CASCADE, db_index=False, related_name="recipients")
    member = models.ForeignKey("members.Member", models.PROTECT, related_name="+")
    # Two recipients that were merged meanwhile have one and the same.
    redemption = models.ForeignKey(Redemption, models.PROTECT, null=True, related_name="+")
    refused = models.CharField(_("reason why not"), max_length=30, blank=True)

    class Meta:
        verbose_name = _("recipient of an issue")
        verbose_name_plural = _("recipients of issues")
        constraints = [models.UniqueConstraint(fields=["issue", "member"], name="issue_once_per_member")]
        indexes = [
            models.Index(fields=["issue", "id"], name="issue_open", condition=Q(redemption=None, refused="")),
        ]

    def __str__(self) -> str:
        return f"{self.issue_id} #{self.member_id}"


class Giveaway(models.Model):
    """A reward that members take for no points while it is open: so many in all, so many each."""

    public_id = models.CharField(max_length=24, unique=True, default=new_giveaway_id, editable=False)
    reward = models.ForeignKey(Reward, models.PROTECT, related_name="giveaways", verbose_name=_("reward"))
    is_active = models.BooleanField(_("switched on"), default=True)
    opens_at = models.DateTimeField(_("opens"))
    closes_at = models.DateTimeField(_("closes"))
    total = models.PositiveIntegerField(_("in all at most"), null=True, blank=True, help_text=_("Empty: no limit."))
    claimed = models.PositiveIntegerField(_("claimed"), default=0, editable=False)
    per_member = models.PositiveSmallIntegerField(_("for each member at most"), default=1)
    minimum_tier = models.ForeignKey(
        "members.Tier", models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("from this tier on")
    )
    segment = models.SlugField(
        _("only for this segment"), max_length=60, blank=True, help_text=_("Empty: for everybody.")
    )

    objects = GiveawayQuerySet.as_manager()

    class Meta:
        verbose_name = _("giveaway")
        verbose_name_plural = _("giveaways")
        constraints = [
            models.CheckConstraint(condition=Q(closes_at__gt=F("opens_at")), name="giveaway_is_forward"),
            models.CheckConstraint(condition=Q(total=None) | Q(claimed__lte=F("total")), name="giveaway_within_total"),
            models.CheckConstraint(condition=Q(per_member__gt=0), name="giveaway_each_is_positive"),
        ]
        indexes = [models.Index(fields=["closes_at"], name="giveaway_open", condition=Q(is_active=True))]

    def __str__(self) -> str:
        return self.public_id


class GiveawayClaim(models.Model):
    """One member took one piece of a giveaway."""

    giveaway = models.ForeignKey(Giveaway, models.PROTECT, db_index=False, related_name="claims")
    member = models.ForeignKey("members.Member", models.PROTECT, related_name="+")
    redemption = models.OneToOneField(Redemption, models.PROTECT, related_name="giveaway_claim")
    at = models.DateTimeField(_("claimed"))

    class Meta:
        verbose_name = _("claim of a giveaway")
        verbose_name_plural = _("claims of giveaways")
        indexes = [models.Index(fields=["giveaway", "member"], name="giveaway_claim_member")]

    def __str__(self) -> str:
        return f"{self.giveaway_id} #{self.member_id}"


class Present(models.Model):
    """A coupon on its way to a friend by a link; of the link only a hash is kept."""

    class State(models.TextChoices):
        WAITING = "WAITING", _("not taken yet")
        TAKEN = "TAKEN", _("taken")
        WITHDRAWN = "WITHDRAWN", _("taken back")

    redemption = models.ForeignKey(Redemption, models.PROTECT, related_name="presents")
    giver = models.ForeignKey("members.Member", models.PROTECT, related_name="+")
    taker = models.ForeignKey("members.Member", models.PROTECT, null=True, related_name="+")
    token_hash = models.CharField(max_length=64, unique=True, editable=False)
    state = models.CharField(_("state"), max_length=9, choices=State.choices, default=State.WAITING)
    created_at = models.DateTimeField(_("created"))
    expires_at = models.DateTimeField(_("expires"))
    ended_at = models.DateTimeField(_("ended"), null=True)

    class Meta:
        verbose_name = _("present to a friend")
        verbose_name_plural = _("presents to friends")
        constraints = [
            models.UniqueConstraint(
                fields=["redemption"], condition=Q(state="WAITING"), name="present_one_link_at_a_time"
            ),
            models.UniqueConstraint(fields=["redemption"], condition=Q(state="TAKEN"), name="present_taken_once"),
            models.CheckConstraint(
                condition=Q(state="TAKEN", taker__isnull=False) | (~Q(state="TAKEN") & Q(taker=None)),
                name="present_taken_by_somebody",
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"


class CampaignCode(Code):
    """A code for many, as staff see it: a word that members type. Its rows are those of ``Code``."""

    class Meta:
        proxy = True
        verbose_name = _("campaign code")
        verbose_name_plural = _("campaign codes")


class CodeTries(models.Model):
    """How many wrong campaign codes a member typed since an instant; after too many none is looked at for a while."""

    member = models.OneToOneField("members.Member", models.CASCADE, related_name="+")
    since = models.DateTimeField(_("since"))
    wrong = models.PositiveSmallIntegerField(_("wrong codes"), default=0)

    class Meta:
        verbose_name = _("wrong campaign codes")
        verbose_name_plural = _("wrong campaign codes")

    def __str__(self) -> str:
        return f"#{self.member_id}: {self.wrong}"
