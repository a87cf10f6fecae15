"""User logs in; Member takes part; Person is all we keep of the human being and can be deleted."""

from typing import Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from members.accounts.querysets import MemberQuerySet
from members.lib import codes, guards
from members.programme.models import validate_zone

guards.guard("members_consent")

LANGUAGES = [("en", "English"), ("zh-hans", "简体中文"), ("zh-hant", "繁體中文")]


def new_login_id() -> str:
    """Return a random login id for people who sign in by phone."""
    return codes.random_token("usr")


def new_member_id() -> str:
    """Return a random public id of a member."""
    return codes.random_token("mem")


class UserManager(BaseUserManager["User"]):
    """Makes users and superusers."""

    def create_user(self, email: str = "", password: str | None = None, **fields: Any) -> "User":
        """Create a login; without a password it can only be used by code or passkey."""
        user = self.model(email=self.normalize_email(email), **fields)
        user.set_password(password)
        user.save()
        return user

    def create_superuser(self, email: str = "", password: str | None = None, **fields: Any) -> "User":
        """Create a break-glass account."""
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)


class User(AbstractBaseUser, PermissionsMixin):
    """A login. Its verified e-mail addresses and phone live with allauth; these columns follow them."""

    username = models.CharField(max_length=40, unique=True, default=new_login_id, editable=False)
    email = models.EmailField(_("e-mail"), blank=True)
    phone = models.CharField(_("mobile"), max_length=16, blank=True)
    phone_verified = models.BooleanField(default=False)
    is_staff = models.BooleanField(_("staff"), default=False)
    is_active = models.BooleanField(_("active"), default=True)
    date_joined = models.DateTimeField(_("signed up"), default=timezone.now)

    objects = UserManager()

    USERNAME_FIELD = "username"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["email"]

    class Meta:
        verbose_name = _("login")
        verbose_name_plural = _("logins")
        constraints = [
            models.UniqueConstraint(Lower("email"), condition=~Q(email=""), name="user_email_once"),
            models.UniqueConstraint(fields=["phone"], condition=~Q(phone=""), name="user_phone_once"),
        ]

    def __str__(self) -> str:
        return self.username


class Store(models.Model):
    """A shop, online or on a street."""

    code = models.SlugField(_("code"), unique=True)
    name = models.CharField(_("name"), max_length=80)
    zone = models.CharField(_("time zone"), max_length=40, blank=True, validators=[validate_zone])
    is_active = models.BooleanField(_("open"), default=True)

    class Meta:
        verbose_name = _("store")
        verbose_name_plural = _("stores")

    def __str__(self) -> str:
        return self.name


class Member(models.Model):
    """Someone who takes part; may have no login."""

    class Status(models.TextChoices):
        ACTIVE = "ACTIVE", _("active")
        CLOSED = "CLOSED", _("closed")
        MERGED = "MERGED", _("merged into another")

    public_id = models.CharField(max_length=24, unique=True, default=new_member_id, editable=False)
    number = models.CharField(_("member number"), max_length=10, unique=True, default=codes.random_member_number)
    user = models.OneToOneField(User, models.SET_NULL, null=True, blank=True, related_name="member")
    status = models.CharField(_("status"), max_length=8, choices=Status.choices, default=Status.ACTIVE)
    language = models.CharField(_("language"), max_length=8, choices=LANGUAGES, default="en")
    zone = models.CharField(_("time zone"), max_length=40, blank=True, validators=[validate_zone])
    source = models.CharField(_("enrolled by"), max_length=40)
    joined_at = models.DateTimeField(_("joined"))
    joined_store = models.ForeignKey(Store, models.PROTECT, null=True, blank=True, related_name="+")
    home_store = models.ForeignKey(Store, models.PROTECT, null=True, blank=True, related_name="+")
    # Always the last survivor: whoever merges also points earlier losers at the new survivor.
    merged_into = models.ForeignKey("self", models.PROTECT, null=True, editable=False, related_name="merged_members")

    objects = MemberQuerySet.as_manager()

    class Meta:
        verbose_name = _("member")
        verbose_name_plural = _("members")

    def __str__(self) -> str:
        return self.number


class DeadNumber(models.Model):
    """A member number whose card was reported lost: it names nobody any more and is never given again."""

    number = models.CharField(_("member number"), max_length=10, unique=True)
    member = models.ForeignKey(Member, models.PROTECT, related_name="dead_numbers")
    at = models.DateTimeField(_("reported lost"))

    class Meta:
        verbose_name = _("lost card")
        verbose_name_plural = _("lost cards")

    def __str__(self) -> str:
        return self.number


class CardUse(models.Model):
    """Which live code of a member's card was used last, and how many wrong ones came lately."""

    member = models.OneToOneField(Member, models.CASCADE, primary_key=True, related_name="card_use")
    last_step = models.BigIntegerField(_("minute of the last code used"), null=True)
    wrong_codes = models.PositiveSmallIntegerField(_("wrong codes"), default=0)
    wrong_since = models.DateTimeField(_("first wrong code"), null=True)

    class Meta:
        verbose_name = _("use of a card")
        verbose_name_plural = _("uses of cards")

    def __str__(self) -> str:
        return f"#{self.member_id}"


class MergeRequest(models.Model):
    """A merge that moves more points than one person may decide, waiting for a second person."""

    class State(models.TextChoices):
        WAITING = "WAITING", _("waiting")
        APPROVED = "APPROVED", _("approved")
        REFUSED = "REFUSED", _("refused")

    loser = models.ForeignKey(Member, models.PROTECT, related_name="+", verbose_name=_("member that ends"))
    survivor = models.ForeignKey(Member, models.PROTECT, related_name="+", verbose_name=_("member that stays"))
    take_back_bonus = models.BooleanField(_("take back the later sign-up bonus"), default=False)
    reason = models.CharField(_("reason"), max_length=300)
    state = models.CharField(_("state"), max_length=8, choices=State.choices, default=State.WAITING)
    requested_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    requested_at = models.DateTimeField(_("asked"))
    decided_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(_("decided"), null=True)

    class Meta:
        verbose_name = _("merge to approve")
        verbose_name_plural = _("merges to approve")
        constraints = [
            models.UniqueConstraint(fields=["loser"], condition=Q(state="WAITING"), name="merge_request_one_waiting"),
            models.CheckConstraint(condition=~Q(loser=F("survivor")), name="merge_request_two_members"),
            models.CheckConstraint(
                condition=Q(decided_by=None) | ~Q(decided_by=F("requested_by")), name="merge_request_two_persons"
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"


class SegmentMembership(models.Model):
    """That a member belongs to a segment now; filled by the app that knows segments, read by gates."""

    segment = models.SlugField(_("segment"), max_length=60)
    member = models.ForeignKey(Member, models.CASCADE, related_name="segments")
    since = models.DateTimeField(_("since"))

    class Meta:
        verbose_name = _("segment membership")
        verbose_name_plural = _("segment memberships")
        constraints = [models.UniqueConstraint(fields=["segment", "member"], name="segment_membership_once")]

    def __str__(self) -> str:
        return f"{self.segment} #{self.member_id}"


class Person(models.Model):
    """All personal data of a member, in one row that can be deleted."""

    member = models.OneToOneField(Member, models.CASCADE, primary_key=True, related_name="person")
    name = models.CharField(_("name"), max_length=120, blank=True)
    email = models.EmailField(_("e-mail"), blank=True)
    phone = models.CharField(_("mobile"), max_length=16, blank=True)
    birth_month = models.PositiveSmallIntegerField(
        _("birth month"), null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(12)]
    )
    birth_day = models.PositiveSmallIntegerField(
        _("birth day"), null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(31)]
    )
    birth_year = models.PositiveSmallIntegerField(_("birth year"), null=True, blank=True)
    birthday_set_at = models.DateTimeField(null=True, editable=False)
    # The barcode of electronic invoices ("/ABC1234"); a key to the member only since the member said so.
    carrier = models.CharField(_("invoice carrier"), max_length=8, blank=True, default="")
    carrier_is_key_since = models.DateTimeField(_("carrier may find the card since"), null=True, editable=False)

    class Meta:
        verbose_name = _("person")
        verbose_name_plural = _("persons")
        indexes = [
            models.Index(Lower("email"), name="person_email", condition=~Q(email="")),
            models.Index(fields=["phone"], name="person_phone", condition=~Q(phone="")),
            models.Index(fields=["birth_month", "birth_day"], name="person_birthday"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(birth_month__isnull=True, birth_day__isnull=True)
                | Q(birth_month__range=(1, 12), birth_day__range=(1, 31)),
                name="person_birthday_is_whole",
            ),
            models.UniqueConstraint(
                fields=["carrier"], condition=Q(carrier_is_key_since__isnull=False), name="person_carrier_key_once"
            ),
        ]

    def __str__(self) -> str:
        return self.member.number


class BirthdayChange(models.Model):
    """One change of a birthday: the old value, who and when."""

    person = models.ForeignKey(Person, models.CASCADE, related_name="birthday_changes")
    old_month = models.PositiveSmallIntegerField(null=True)
    old_day = models.PositiveSmallIntegerField(null=True)
    actor = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    reason = models.CharField(max_length=300, blank=True)
    at = models.DateTimeField()

    class Meta:
        verbose_name = _("birthday change")
        verbose_name_plural = _("birthday changes")

    def __str__(self) -> str:
        return str(self.pk)


class Identity(models.Model):
    """What another system calls a member: (source, value) names one member for ever."""

    member = models.ForeignKey(Member, models.PROTECT, related_name="identities")
    source = models.CharField(_("source"), max_length=40)
    value = models.CharField(_("value"), max_length=80)

    class Meta:
        verbose_name = _("outside identity")
        verbose_name_plural = _("outside identities")
        constraints = [models.UniqueConstraint(fields=["source", "value"], name="identity_names_one_member")]

    def __str__(self) -> str:
        return f"{self.source}:{self.pk}"


class Consent(models.Model):
    """One statement of will, per channel and purpose. Append-only; the newest counts."""

    class Channel(models.TextChoices):
        EMAIL = "email", _("e-mail")
        SMS = "sms", _("SMS")

    class Purpose(models.TextChoices):
        MARKETING = "marketing", _("offers and greetings")
        SERVICE = "service", _("service messages")
        SURVEY = "survey", _("surveys")

    member = models.ForeignKey(Member, models.PROTECT, db_index=False, related_name="consents")
    channel = models.CharField(_("channel"), max_length=8, choices=Channel.choices)
    purpose = models.CharField(_("purpose"), max_length=12, choices=Purpose.choices)
    granted = models.BooleanField(_("granted"))
    source = models.CharField(_("source"), max_length=40)
    text_version = models.CharField(_("text version"), max_length=20)
    language = models.CharField(_("language"), max_length=8)
    actor = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("consent")
        verbose_name_plural = _("consents")
        indexes = [models.Index(F("member"), F("channel"), F("purpose"), F("id").desc(), name="consent_current")]

    def __str__(self) -> str:
        return f"{self.channel}/{self.purpose}"


class ApiKey(models.Model):
    """A machine's key: prefix to find it, hash to check it, scopes to limit it."""

    name = models.CharField(_("name"), max_length=60)
    prefix = models.CharField(_("prefix"), max_length=8, unique=True)
    secret_hash = models.CharField(max_length=64, editable=False)
    scopes = models.JSONField(_("scopes"), default=list)
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(_("created"))
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True)
    last_used_at = models.DateTimeField(_("last used"), null=True, editable=False)

    class Meta:
        verbose_name = _("API key")
        verbose_name_plural = _("API keys")

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix})"
