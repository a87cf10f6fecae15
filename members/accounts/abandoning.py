"""Sign-ups that nobody finished: they hold an address which its owner may want."""

from datetime import datetime, time, timedelta

from allauth.account.models import EmailAddress
from django.db.models import Exists, OuterRef

from members.accounts.models import User
from members.jobs.schedule import Turn, scheduled
from members.lib.transactions import retried

KEPT = timedelta(days=7)


@scheduled("forget-unfinished-signups", daily_at=time(3, 30))
def forget_daily(turn: Turn) -> dict[str, int]:
    """Run once a day."""
    return {"forgotten": forget_unfinished(at=turn.now())}


@retried
def forget_unfinished(*, at: datetime) -> int:
    """Delete logins older than KEPT that confirmed nothing, never came in and are neither staff nor member."""
    confirmed = EmailAddress.objects.filter(user=OuterRef("pk"), verified=True)
    unfinished = User.objects.filter(
        ~Exists(confirmed),
        date_joined__lt=at - KEPT,
        last_login=None,
        phone_verified=False,
        is_staff=False,
        is_superuser=False,
        member=None,
    )
    ids = list(unfinished.select_for_update(of=("self",)).values_list("pk", flat=True))
    User.objects.filter(pk__in=ids).delete()
    return len(ids)
