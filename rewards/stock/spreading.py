"""Spreading pieces over the parts of a count, so that all parts end about level. Pure."""


def spread(levels: list[int], quantity: int) -> list[int]:
    """Return how much each part changes when ``quantity`` pieces come in (or, negative, go out); they sum to it.

    The lowest parts get first, the highest give first. More can go out only than there is: the caller has checked.
    """
    if quantity < 0:
        return [-change for change in spread([-level for level in levels], -quantity)]
    places = list(range(len(levels)))
    while True:
        target, extra = divmod(sum(levels[place] for place in places) + quantity, len(places))
        below = [place for place in places if levels[place] <= target]
        if len(below) == len(places):
            break
        places = below
    changes = [0] * len(levels)
    for number, place in enumerate(places):
        changes[place] = target + (1 if number < extra else 0) - levels[place]
    return changes
