"""The site as real processes: it starts, says that it is well, and says so no more when a part dies."""

import pytest
from django.utils import timezone

from config.health import FRESH
from members.jobs.models import Heartbeat

pytestmark = pytest.mark.redis


def test_the_site_is_well_with_a_worker_and_a_scheduler(live_site):
    assert live_site.status("/healthz") == 200
    names = set(Heartbeat.objects.values_list("name", flat=True))
    assert {"worker", "scheduler"} <= names


def test_the_site_is_unwell_when_the_scheduler_has_died(live_site):
    live_site.kill("scheduler")
    Heartbeat.objects.filter(name="scheduler").update(beaten_at=timezone.now() - FRESH)
    assert live_site.status("/healthz") == 503
