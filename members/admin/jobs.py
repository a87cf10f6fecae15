"""What runs by itself: jobs, the outbox, heartbeats, stored answers."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST

from members.admin.pages import ReadOnlyAdmin, require
from members.jobs.outbox import retry_dead
from members.jobs.schedule import job_names, request_run
from members.models import EventReader, Heartbeat, IdempotencyKey, JobRun, Outbox


def may_run_jobs(request: HttpRequest) -> bool:
    """Whether this person may start a job outside its schedule."""
    return request.user.has_perm("members.add_jobrun")


def run_now(request: HttpRequest, job: str) -> HttpResponse:
    """Ask for a run and show its page."""
    run = request_run(job=job, actor_id=request.user.pk)
    messages.success(request, _("“%(job)s” starts within seconds. Reload this page to see it work.") % {"job": job})
    return redirect("admin:members_jobrun_change", run.pk)


@admin.register(JobRun)
class JobRunAdmin(ReadOnlyAdmin[JobRun]):
    """Runs of the jobs: state, progress, result, error."""

    change_list_template = "admin/members/jobrun_list.html"
    list_display = ("job", "period_start", "state", "progress", "attempts", "started_at", "finished_at", "error")
    list_filter = ("state", "job")
    ordering = ("-pk",)
    fields = (
        "job",
        "period_start",
        "as_of",
        "state",
        "progress",
        "attempts",
        "result",
        "error",
        "requested_by",
        "started_at",
        "finished_at",
    )
    readonly_fields = ("progress",)

    def get_urls(self) -> list[URLPattern]:
        """Add the button "run now"."""
        view = self.admin_site.admin_view(require_POST(self.run_page))
        return [path("run/", view, name="members_jobrun_run"), *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, object] | None = None) -> HttpResponse:
        """Show a button per job to those who may press it."""
        jobs = job_names() if may_run_jobs(request) else []
        return super().changelist_view(request, {**(extra_context or {}), "jobs": jobs})

    @admin.display(description=gettext_lazy("progress"))
    def progress(self, run: JobRun) -> str:
        """How much is done, and of how much where that is known."""
        return f"{run.done:,} / {run.total:,}" if run.total else f"{run.done:,}"

    def run_page(self, request: HttpRequest) -> HttpResponse:
        """Start a job now."""
        require(allowed=may_run_jobs(request))
        job = request.POST.get("job", "")
        if job not in job_names():
            self.message_user(request, _("There is no such job."), messages.ERROR)
            return redirect(reverse("admin:members_jobrun_changelist"))
        return run_now(request, job)


@admin.register(Outbox)
class OutboxAdmin(ReadOnlyAdmin[Outbox]):
    """What is still to be done after commit, and what was given up."""

    list_display = ("id", "kind", "state", "due_at", "attempts", "last_error", "payload")
    list_filter = ("state", "kind")
    ordering = ("-pk",)
    actions = ("retry",)

    def has_retry_permission(self, request: HttpRequest) -> bool:
        """Whether this person may have given-up work tried again."""
        return request.user.has_perm("members.change_outbox")

    @admin.action(description=gettext_lazy("Try given-up rows again"), permissions=["retry"])
    def retry(self, request: HttpRequest, queryset: QuerySet[Outbox]) -> None:
        """Give each chosen row that was given up a fresh set of attempts."""
        chosen = list(queryset.filter(state=Outbox.State.DEAD).values_list("pk", flat=True))
        for outbox_id in chosen:
            retry_dead(outbox_id=outbox_id)
        count = len(chosen)
        text = ngettext("%(count)s row will be tried again.", "%(count)s rows will be tried again.", count)
        self.message_user(request, text % {"count": count}, messages.SUCCESS)


@admin.register(Heartbeat)
class HeartbeatAdmin(ReadOnlyAdmin[Heartbeat]):
    """Which parts of the system are alive."""

    list_display = ("name", "beaten_at")


@admin.register(EventReader)
class EventReaderAdmin(ReadOnlyAdmin[EventReader]):
    """How far each reader of the event log has come."""

    list_display = ("name", "event_id", "updated_at")


@admin.register(IdempotencyKey)
class IdempotencyKeyAdmin(ReadOnlyAdmin[IdempotencyKey]):
    """Stored answers to keyed writes."""

    list_display = ("principal", "key", "status", "created_at")
    fields = ("principal", "key", "fingerprint", "status", "created_at")
    search_fields = ("key__exact",)
    ordering = ("-pk",)
