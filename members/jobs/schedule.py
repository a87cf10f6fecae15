"""Scheduled jobs: a row per job and period decides, whoever knocks and however often.

The night has an order: a job named as ``after`` of another goes first. The run of the later one waits while a run of
the earlier one, of the same period or an older one, is neither done nor given up.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Min, Q

from members.jobs.models import JobRun
from members.lib import periods
from members.lib.clock import database_now

logger = logging.getLogger(__name__)

LEASE = timedelta(minutes=5)
MAX_ATTEMPTS = 8

_OPEN = (JobRun.State.DUE, JobRun.State.RUNNING)

Work = Callable[["Turn"], dict[str, Any] | None]


@dataclass(frozen=True)
class ScheduledJob:
    """A job: every so often (counted from the epoch in UTC), or daily at a local time of the programme."""

    name: str
    run: Work
    every: timedelta | None
    daily_at: time | None
    after: str | None = None

    def period_start(self, at: datetime, zone: ZoneInfo) -> datetime:
        """Return the start of the newest period that has begun at ``at``."""
        if self.every is not None:
            seconds = int(self.every.total_seconds())
            return datetime.fromtimestamp(int(at.timestamp()) // seconds * seconds, UTC)
        assert self.daily_at is not None
        today = periods.local_day(at, zone)
        start = periods.local_instant(today, self.daily_at.hour, self.daily_at.minute, zone)
        if start > at:
            start = periods.local_instant(today - timedelta(days=1), self.daily_at.hour, self.daily_at.minute, zone)
        return start


class LeaseLost(Exception):
    """Another worker carries on with this run; this one must stop."""


class Turn:
    """One attempt at one run: says from where to carry on and lets the job record its progress.

    ``at`` is the instant to work for; None means that the job reads the clock itself.
    """

    def __init__(self, run: JobRun, on_progress: Callable[[int, int], None] | None = None) -> None:
        self.run_id = run.pk
        self.attempt = run.attempts
        self.period_start = run.period_start
        self.at = run.as_of
        self.cursor = run.cursor
        self.done = run.done
        self._on_progress = on_progress

    def checkpoint(self, cursor: int, *, done: int, total: int) -> None:
        """Keep the place; call it inside the chunk's own transaction. Raises LeaseLost when the run was taken over."""
        kept = JobRun.objects.filter(pk=self.run_id, attempts=self.attempt, state=JobRun.State.RUNNING).update(
            cursor=cursor, done=done, total=total, lease_until=database_now() + LEASE
        )
        if not kept:
            raise LeaseLost(self.run_id)
        self.cursor, self.done = cursor, done
        if self._on_progress is not None:
            self._on_progress(done, total)

    def now(self) -> datetime:
        """Return the instant to work for, the clock's unless the run was asked for another."""
        return self.at or database_now()


_jobs: dict[str, ScheduledJob] = {}


def scheduled(
    name: str, *, every: timedelta | None = None, daily_at: time | None = None, after: str | None = None
) -> Callable[[Work], Work]:
    """Register a job: once per period, the latest missed period is caught up, a killed run resumes.

    ``after`` names the job that goes before it in the night.
    """

    def register(work: Work) -> Work:
        _jobs[name] = ScheduledJob(name=name, run=work, every=every, daily_at=daily_at, after=after)
        return work

    return register


def job_names() -> list[str]:
    """Return the names of all scheduled jobs."""
    return sorted(_jobs)


def night_order() -> list[str]:
    """Return the jobs of the night, each behind the one it waits for."""
    named = {job.after for job in _jobs.values()}
    of_the_night = [job.name for job in _jobs.values() if job.after in _jobs or job.name in named]
    return sorted(of_the_night, key=lambda name: (_depth(name), name))


def _depth(name: str) -> int:
    after = _jobs[name].after
    return 0 if after is None or after not in _jobs else _depth(after) + 1


def plan_due(*, at: datetime, zone: ZoneInfo) -> None:
    """Insert the row of every job's newest period; harmless when it is there."""
    rows = [JobRun(job=job.name, period_start=job.period_start(at, zone)) for job in _jobs.values()]
    known = set(
        JobRun.objects.filter(period_start__in={row.period_start for row in rows}).values_list("job", "period_start")
    )
    missing = [row for row in rows if (row.job, row.period_start) not in known]
    if missing:
        JobRun.objects.bulk_create(missing, ignore_conflicts=True)


def request_run(*, job: str, actor_id: int | None, at: datetime | None = None) -> JobRun:
    """Ask for an extra run now, outside the schedule, as of ``at`` if given; raises KeyError for an unknown job."""
    if job not in _jobs:
        raise KeyError(job)
    return JobRun.objects.create(job=job, period_start=database_now(), requested_by_id=actor_id, as_of=at)


def run_now(*, job: str, at: datetime | None = None, on_progress: Callable[[int, int], None] | None = None) -> JobRun:
    """Run a job at once, outside the schedule, and return its row; raises KeyError for an unknown job.

    It works for the instant ``at``, its own now unless given. ``on_progress`` gets (done, total) after each chunk. What
    the job raises is raised; a worker then tries again.
    """
    run = request_run(job=job, actor_id=None, at=at)
    _take(run, database_now())
    try:
        result = _jobs[job].run(Turn(run, on_progress))
    except Exception as problem:
        _put_back(run, repr(problem))
        raise
    _settle(run, state=JobRun.State.DONE, finished_at=database_now(), result=result or {}, error="")
    run.refresh_from_db()
    return run


def run_night(
    *, at: datetime, on_job: Callable[[str], None] | None = None, on_progress: Callable[[int, int], None] | None = None
) -> list[JobRun]:
    """Run the jobs of the night as of ``at``, one after the other, and return their rows.

    A job that fails does not stop the ones behind it; its row keeps the error. ``on_job`` gets the name before each.
    """
    return [_of_the_night(name, at, on_job, on_progress) for name in night_order()]


def _of_the_night(
    name: str,
    at: datetime,
    on_job: Callable[[str], None] | None,
    on_progress: Callable[[int, int], None] | None,
) -> JobRun:
    if on_job is not None:
        on_job(name)
    try:
        return run_now(job=name, at=at, on_progress=on_progress)
    except Exception:
        logger.exception("job of the night failed", extra={"job": name})
        return JobRun.objects.filter(job=name).order_by("-pk")[0]


def run_due(*, limit: int = 100) -> int:
    """Run open runs until none is left or ``limit`` is reached; return how many were tried."""
    tried = 0
    while tried < limit:
        run = _claim()
        if run is None:
            break
        _work(run)
        tried += 1
    return tried


@transaction.atomic
def _claim() -> JobRun | None:
    now = database_now()
    open_runs = JobRun.objects.filter(state__in=_OPEN, job__in=_jobs).exclude(_waiting())
    open_runs = open_runs.filter(Q(lease_until=None) | Q(lease_until__lt=now))
    run = open_runs.select_for_update(skip_locked=_skips_locked()).order_by("period_start", "pk").first()
    if run is None:
        return None
    if run.attempts >= MAX_ATTEMPTS:
        run.state, run.finished_at = JobRun.State.FAILED, now
        run.error = run.error or "The worker died at every attempt."
        run.save(update_fields=["state", "finished_at", "error"])
        return run
    _take(run, now)
    return run


def _waiting() -> Q:
    """The runs of jobs whose predecessor has an open run of the same period or an older one."""
    before = {job.after for job in _jobs.values()} & _jobs.keys()
    oldest = JobRun.objects.filter(state__in=_OPEN, job__in=before).values_list("job").annotate(Min("period_start"))
    open_since = dict(oldest)
    waiting = Q(pk=None)
    for job in _jobs.values():
        if job.after in open_since:
            waiting |= Q(job=job.name, period_start__gte=open_since[job.after])
    return waiting


def _take(run: JobRun, now: datetime) -> None:
    run.state, run.attempts, run.lease_until = JobRun.State.RUNNING, run.attempts + 1, now + LEASE
    run.started_at = run.started_at or now
    run.save(update_fields=["state", "attempts", "lease_until", "started_at"])


def _skips_locked() -> bool:
    return bool(transaction.get_connection().features.has_select_for_update_skip_locked)


def _work(run: JobRun) -> None:
    if run.state == JobRun.State.FAILED:
        return
    try:
        result = _jobs[run.job].run(Turn(run))
    except LeaseLost:
        logger.warning("job run was taken over", extra={"job": run.job})
    except Exception as problem:
        logger.exception("job run failed", extra={"job": run.job})
        _put_back(run, repr(problem))
    else:
        _settle(run, state=JobRun.State.DONE, finished_at=database_now(), result=result or {}, error="")


def _put_back(run: JobRun, error: str) -> None:
    if run.attempts >= MAX_ATTEMPTS:
        _settle(run, state=JobRun.State.FAILED, finished_at=database_now(), error=error)
        return
    _settle(run, lease_until=database_now() + timedelta(seconds=15 * 2**run.attempts), error=error)


def _settle(run: JobRun, **changes: Any) -> None:
    JobRun.objects.filter(pk=run.pk, attempts=run.attempts, state=JobRun.State.RUNNING).update(**changes)
