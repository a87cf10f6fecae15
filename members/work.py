"""One round of due work: read events, plan and run jobs, drain the outbox."""

from members.events import readers
from members.jobs import heartbeats, outbox, schedule
from members.lib.clock import database_now
from members.programme.models import Programme


def do_due_work(*, from_scheduler: bool = False) -> int:
    """Do what is due now; safe to run in any number of processes at once. Returns how much was done."""
    now = database_now()
    heartbeats.beat("worker", at=now)
    if from_scheduler:
        heartbeats.beat("scheduler", at=now)
    done = readers.read_all()
    schedule.plan_due(at=now, zone=Programme.current().tz)
    done += schedule.run_due()
    # Jobs and readers write events and outbox rows of their own.
    done += readers.read_all()
    return done + outbox.drain()
