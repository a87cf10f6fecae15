"""Rows that stand for work. A message to a worker is only a knock on the door."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class JobRun(models.Model):
    """One scheduled job in one period; the unique key makes it happen once however often it is started."""

    class State(models.TextChoices):
        DUE = "DUE", _("due")
        RUNNING = "RUNNING", _("running")
        DONE = "DONE", _("done")
        FAILED = "FAILED", _("failed")

    job = models.CharField(_("job"), max_length=60)
    period_start = models.DateTimeField(_("period"))
    as_of = models.DateTimeField(_("as of"), null=True, help_text=_("The instant it works for; empty: its own now."))
    state = models.CharField(_("state"), max_length=8, choices=State.choices, default=State.DUE)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    lease_until = models.DateTimeField(null=True, editable=False)
    cursor = models.BigIntegerField(default=0, help_text=_("Where a killed run carries on."))
    done = models.PositiveBigIntegerField(_("done"), default=0)
    total = models.PositiveBigIntegerField(_("of"), default=0)
    result = models.JSONField(_("result"), default=dict)
    error = models.TextField(_("error"), blank=True)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    started_at = models.DateTimeField(_("started"), null=True)
    finished_at = models.DateTimeField(_("finished"), null=True)

    class Meta:
        verbose_name = _("job run")
        verbose_name_plural = _("job runs")
        constraints = [models.UniqueConstraint(fields=["job", "period_start"], name="job_run_once_per_period")]
        indexes = [models.Index(fields=["state", "lease_until"], name="job_run_open")]

    def __str__(self) -> str:
        return f"{self.job} {self.period_start:%Y-%m-%d %H:%M}"


class Outbox(models.Model):
    """Something to do after commit. Ids only, no personal data; its handler must bear being called twice."""

    class State(models.TextChoices):
        PENDING = "PENDING", _("pending")
        DONE = "DONE", _("done")
        DEAD = "DEAD", _("given up")

    kind = models.CharField(_("kind"), max_length=60)
    payload = models.JSONField(_("payload"), default=dict)
    # Null, not empty: rows without a key do not exclude each other.
    key = models.CharField(_("key"), max_length=120, unique=True, null=True)  # noqa: DJ001
    state = models.CharField(_("state"), max_length=8, choices=State.choices, default=State.PENDING)
    due_at = models.DateTimeField(_("due"))
    lease_until = models.DateTimeField(null=True, editable=False)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    last_error = models.TextField(_("last error"), blank=True)
    created_at = models.DateTimeField(_("created"))
    finished_at = models.DateTimeField(_("finished"), null=True)

    class Meta:
        verbose_name = _("outbox row")
        verbose_name_plural = _("outbox")
        indexes = [
            models.Index(fields=["due_at"], name="outbox_due", condition=models.Q(state="PENDING")),
        ]

    def __str__(self) -> str:
        return f"{self.kind} #{self.pk}"


class Heartbeat(models.Model):
    """When a part of the system was last seen alive."""

    name = models.CharField(_("name"), max_length=40, unique=True)
    beaten_at = models.DateTimeField(_("last seen"))

    class Meta:
        verbose_name = _("heartbeat")
        verbose_name_plural = _("heartbeats")

    def __str__(self) -> str:
        return self.name


class IdempotencyKey(models.Model):
    """The stored answer to one keyed write; committed together with its effect."""

    principal = models.CharField(max_length=60)
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(null=True)
    body = models.JSONField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        verbose_name = _("idempotency key")
        verbose_name_plural = _("idempotency keys")
        constraints = [models.UniqueConstraint(fields=["principal", "key"], name="idempotency_key_once")]
        indexes = [models.Index(fields=["created_at"], name="idempotency_key_created")]

    def __str__(self) -> str:
        return f"{self.principal} {self.key}"
