"""The whole way by the workers' own round of due work: nothing is called by hand."""

from datetime import UTC, datetime, timedelta

import pytest

from campaigns.messaging.models import Campaign
from members.jobs.models import JobRun
from members.ledger.statements import spendable_points
from members.work import do_due_work
from tests.campaigns.conftest import MailFolder
from tests.campaigns.factories import LONG_AGO, born, make_reachable
from tests.factories import give

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def clock() -> datetime:
    """Return this moment, for members whose birthday is today."""
    return datetime.now(UTC)


def test_birthday_and_reminder_reach_the_member(mail_folder: MailFolder, clock: datetime) -> None:
    member = make_reachable(marketing=True, joined_at=LONG_AGO)
    born(member, clock.month, clock.day)
    give(member, 50, expires_at=clock + timedelta(days=5))

    do_due_work()

    assert spendable_points(member.pk, datetime.now(UTC)) == 150
    done = set(JobRun.objects.filter(state="DONE").values_list("job", flat=True))
    assert {"birthdays", "points-reminders", "referrals", "deliveries"} <= done
    codes = sorted(Campaign.objects.values_list("code", flat=True))
    assert codes == ["birthday", "expiring-points", "redemptions", "referral", "wishes"]
