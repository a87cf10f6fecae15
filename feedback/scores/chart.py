"""Geometry of a bar chart: where each bar of a distribution stands."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

STEP = 48
BAR = 32
HEIGHT = 160
HEADROOM = 24


@dataclass(frozen=True)
class Bar:
    """One bar, in units of the drawing; ``middle`` is where its labels are centred."""

    value: int
    count: int
    percent: float
    x: int
    y: int
    height: int
    middle: int

    @property
    def label_y(self) -> int:
        """Where the number above the bar stands."""
        return self.y - 6


@dataclass(frozen=True)
class Chart:
    """All bars of a scale and the size of the drawing."""

    bars: list[Bar]
    width: int
    base_line: int = HEADROOM + HEIGHT
    axis_label_y: int = HEADROOM + HEIGHT + 18
    height: int = HEADROOM + HEIGHT + 28
    bar_width: int = BAR


def bar_chart(scale: Iterable[int], counts: Mapping[int, int]) -> Chart:
    """Return a bar for every value of the scale, also for those nobody chose; the highest is full height."""
    values = list(scale)
    base = sum(counts.get(value, 0) for value in values)
    highest = max((counts.get(value, 0) for value in values), default=0)
    bars = []
    for place, value in enumerate(values):
        count = counts.get(value, 0)
        height = round(HEIGHT * count / highest) if highest else 0
        left = place * STEP + (STEP - BAR) // 2
        bars.append(
            Bar(
                value=value,
                count=count,
                percent=100 * count / base if base else 0.0,
                x=left,
                y=HEADROOM + HEIGHT - height,
                height=height,
                middle=left + BAR // 2,
            )
        )
    return Chart(bars=bars, width=len(values) * STEP)
