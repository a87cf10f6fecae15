"""The rows of one file on disk, so that a document's lines come together however large the file is.

A private SQLite file beside the temporary files; it is rebuilt whenever the import starts anew.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType

from members.purchases.importing.parsing import Reason

_SCHEMA = """
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
PRAGMA cache_size = -16000;
CREATE TABLE line (
    no INTEGER PRIMARY KEY, number TEXT, sku TEXT, description TEXT, quantity INTEGER, amount INTEGER,
    at TEXT, customer TEXT, back INTEGER DEFAULT 0
);
CREATE TABLE problem (no INTEGER, number TEXT, reason TEXT, cell TEXT);
CREATE TABLE document (
    id INTEGER PRIMARY KEY, number TEXT, returned INTEGER, at TEXT, first INTEGER, lines INTEGER,
    customer TEXT
);
CREATE TABLE customer (value TEXT PRIMARY KEY, at TEXT, member_id INTEGER) WITHOUT ROWID;
BEGIN;
"""
# A document is dated by its earliest line and belongs to the customer of its first; purchases come first.
_DOCUMENTS = """
INSERT INTO document (number, returned, at, first, lines, customer)
SELECT number, returned, at, first, lines, (SELECT customer FROM line WHERE no = first) FROM (
    SELECT number, substr(number, 1, 1) IN ('C', 'c') AS returned, min(at) AS at, min(no) AS first,
           count(*) AS lines
    FROM line GROUP BY number
) ORDER BY returned, at, first
"""
_TOO_MANY_LINES = "INSERT INTO problem SELECT first, number, ?, lines FROM document WHERE lines > ?"
_CUSTOMERS = (
    "INSERT INTO customer (value, at) SELECT customer, min(at) FROM document WHERE customer <> '' GROUP BY customer"
)
_LINES = """
SELECT d.id, d.number, d.at, d.customer, c.member_id,
       l.no, l.customer, l.sku, l.description, l.quantity, l.amount
FROM document d JOIN line l INDEXED BY line_number ON l.number = d.number
     LEFT JOIN customer c ON c.value = d.customer
WHERE d.returned = ? AND (d.customer <> '') = ? ORDER BY d.id, l.no
"""
_AMOUNTS = """
SELECT coalesce(sum(amount), 0) FROM document d JOIN line l USING (number, customer) WHERE d.returned = ?
"""
_RETURNABLE = """
SELECT l.no, l.quantity - l.back FROM line l JOIN document d USING (number, customer)
WHERE l.customer = ? AND l.sku = ? AND NOT d.returned AND d.at <= ? AND l.quantity > l.back
ORDER BY d.at DESC, d.id DESC, l.no DESC
"""
# Line in the file, document, article, description, quantity, amount, wall-clock time, customer.
LineRow = tuple[int, str, str, str, int, int, str, str]
JoinedRow = tuple[int, str, str, str, int | None, int, str, str, str, int, int]


@dataclass(frozen=True, slots=True)
class Problem:
    """What was not recorded, or recorded without points; ``cell`` is what was wrong."""

    line: int
    number: str
    reason: Reason
    cell: str = ""


class Spool(AbstractContextManager["Spool"]):
    """The rows of one file, grouped; removed at the end of the ``with``."""

    def __init__(self) -> None:
        self._folder = TemporaryDirectory(prefix="purchase-import-")
        self._db = sqlite3.connect(Path(self._folder.name, "spool.sqlite3"), isolation_level=None)
        self._db.executescript(_SCHEMA)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._db.close()
        self._folder.cleanup()

    def add(self, lines: list[LineRow], problems: list[Problem]) -> None:
        """Keep good lines and problems."""
        self._db.executemany(
            "INSERT INTO line (no, number, sku, description, quantity, amount, at, customer) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            lines,
        )
        self.add_problems(problems)

    def add_problems(self, problems: Iterable[Problem]) -> None:
        """Keep what the report will list."""
        rows = [(problem.line, problem.number, problem.reason, problem.cell) for problem in problems]
        self._db.executemany("INSERT INTO problem VALUES (?, ?, ?, ?)", rows)

    def group(self, most_lines: int) -> None:
        """Build documents and customers; documents with more lines than that become problems."""
        self._db.execute("CREATE INDEX line_number ON line (number)")
        self._db.execute(_DOCUMENTS)
        self._db.execute(_TOO_MANY_LINES, [Reason.TOO_MANY_LINES, most_lines])
        self._db.execute("DELETE FROM document WHERE lines > ?", [most_lines])
        self._db.execute(_CUSTOMERS)

    def documents(self, *, returned: bool, named: bool = True) -> Iterator[JoinedRow]:
        """Yield the lines of all purchases, or of all returns, document by document in the order of time.

        Of those that name a customer, or of the others.
        """
        return self._db.execute(_LINES, [returned, named])

    def amount(self, *, returned: bool) -> int:
        """Return the sum of all purchases, or of all returns, in minor units."""
        return int(self._db.execute(_AMOUNTS, [returned]).fetchone()[0])

    def prepare_matching(self) -> None:
        """Make ``returnable_lines`` fast."""
        self._db.execute("CREATE INDEX IF NOT EXISTS line_article ON line (customer, sku)")

    def returnable_lines(self, customer: str, sku: str, at: str) -> list[tuple[int, int]]:
        """Return line number and unreturned quantity of earlier purchases of an article, the latest first."""
        return self._db.execute(_RETURNABLE, [customer, sku, at]).fetchall()

    def give_back(self, line: int, quantity: int) -> None:
        """Note that so much of a line went back."""
        self._db.execute("UPDATE line SET back = back + ? WHERE no = ?", [quantity, line])

    def last_purchase(self) -> str | None:
        """Return the wall-clock time of the last purchase."""
        found = self._db.execute("SELECT max(at) FROM document WHERE NOT returned").fetchone()
        return str(found[0]) if found[0] else None

    def customers(self, after: str, limit: int) -> list[tuple[str, str]]:
        """Return customers and the time of their first document, in the order of their names."""
        query = "SELECT value, at FROM customer WHERE value > ? ORDER BY value LIMIT ?"
        return self._db.execute(query, [after, limit]).fetchall()

    def name_members(self, member_ids: dict[str, int]) -> None:
        """Remember which member each customer is."""
        rows = [(member_id, value) for value, member_id in member_ids.items()]
        self._db.executemany("UPDATE customer SET member_id = ? WHERE value = ?", rows)

    def problems(self) -> Iterator[Problem]:
        """Yield the problems in the order of the file."""
        for line, number, reason, cell in self._db.execute("SELECT * FROM problem ORDER BY no, number, reason, cell"):
            yield Problem(line, number, Reason(reason), cell)

    def problem_counts(self) -> dict[str, int]:
        """Return how many problems there are by reason."""
        return dict(self._db.execute("SELECT reason, count(*) FROM problem GROUP BY reason ORDER BY reason").fetchall())
