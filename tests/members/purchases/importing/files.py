"""Small purchase files for the tests of the import."""

from datetime import UTC, datetime
from pathlib import Path

from members.purchases.importing.running import Outcome, import_purchases

HEADER = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country"
AT = datetime(2012, 1, 1, tzinfo=UTC)


def row(  # noqa: PLR0917 - the columns of a file
    number: str = "1001",
    sku: str = "TEA",
    quantity: object = 1,
    at: str = "2011-06-01 10:00:00",
    price: object = "10.00",
    customer: object = "501",
    description: str = "Green tea",
) -> str:
    """Return one row of a file."""
    return f"{number},{sku},{description},{quantity},{at},{price},{customer},United Kingdom"


def write_file(folder: Path, *rows: str, name: str = "purchases.csv", header: str = HEADER) -> Path:
    """Write rows below a header."""
    path = folder / name
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


def run(path: Path, **options: object) -> Outcome:
    """Import a file."""
    given = {"source": "shop", "currency": "GBP", "at": AT, "say": lambda stage, done: None} | options
    return import_purchases(path=path, **given)  # type: ignore[arg-type]
