"""Which returned lines of a file have no earlier purchase in it: the rehearsal of what a real run decides."""

from collections.abc import Iterator

from members.purchases.importing.grouping import Document
from members.purchases.importing.spool import Spool


def unmatched_quantities(spool: Spool, document: Document) -> Iterator[tuple[int, int]]:
    """Yield line of the file and quantity of each part of a return that no purchase of the file explains.

    Remembers in the spool what went back, so the returns have to come in the order of time.
    """
    for line, place in zip(document.lines, document.places, strict=True):
        missing = line.quantity
        for earlier, left in spool.returnable_lines(document.customer, line.sku, document.at):
            taken = min(missing, left)
            if taken == 0:
                break
            spool.give_back(earlier, taken)
            missing -= taken
        if missing:
            yield place, missing
