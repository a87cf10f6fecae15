"""What Celery runs: one task that does whatever work is due. It carries no facts; the rows do."""

from celery import shared_task

from members.work import do_due_work


@shared_task(name="members.tasks.tick", ignore_result=True)
def tick(sender: str = "wake", **_later: object) -> None:
    """Do due work once; ``sender`` is ``beat`` when the scheduler asked."""
    do_due_work(from_scheduler=sender == "beat")
