"""Pure parts: wall-clock times and the places of unmatched lines."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from members.purchases.drafts import DraftLine
from members.purchases.importing.grouping import Document, instant_of, places_of

LONDON = ZoneInfo("Europe/London")


def test_a_wall_clock_time_is_read_in_the_zone_with_its_seconds():
    found = instant_of("2011-07-01 10:00:30", timedelta(0), LONDON)
    assert found == datetime(2011, 7, 1, 9, 0, 30, tzinfo=UTC)


def test_a_shift_into_the_hour_that_the_clocks_skip_moves_to_its_end():
    assert instant_of("2011-03-26 01:30:00", timedelta(days=1), LONDON) == datetime(2011, 3, 27, 1, tzinfo=UTC)


def test_what_is_left_unmatched_belongs_to_the_last_lines_of_its_article():
    lines = (DraftLine("TEA", 1, 5), DraftLine("TEA", 2, 10), DraftLine("MUG", 1, 7))
    document = Document("C1", "2011-01-01 10:00:00", "501", 1, lines, (4, 5, 6), ())
    left = [DraftLine("TEA", 2, 10), DraftLine("MUG", 1, 7)]
    assert places_of(left, document) == [(5, left[0]), (6, left[1])]
