"""The command: exit codes, a killed process, what stands in the report."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.models import Model

from members.ledger.models import PointsAccount, PointsEntry
from members.purchases.importing.report import harmless
from members.purchases.models import Purchase, PurchaseImport, Return
from tests.factories import make_rule, set_programme
from tests.harness.site import ROOT
from tests.members.purchases.importing.files import row, write_file

OPTIONS = {"source": "shop", "currency": "GBP"}


@pytest.mark.django_db
def test_rejected_rows_do_not_fail_the_command(tmp_path, capsys):
    call_command("import_purchases", write_file(tmp_path, row("1"), row("2", customer="")), **OPTIONS)
    out = capsys.readouterr().out
    assert "purchases: 1, 10.00 GBP" in out
    assert "no_customer: 1" in out


@pytest.mark.django_db
def test_an_unreadable_file_exits_with_2_and_writes_nothing(tmp_path, capsys):
    with pytest.raises(SystemExit) as stopped:
        call_command("import_purchases", write_file(tmp_path, header="a,b"), **OPTIONS)
    assert stopped.value.code == 2
    assert "InvoiceNo" in capsys.readouterr().err
    assert not PurchaseImport.objects.exists()


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx"])
def test_no_cell_of_the_report_is_a_formula(cell):
    assert harmless(cell) == f"'{cell}"


def big_file(folder: Path) -> Path:
    rows = []
    for number in range(2400):
        at = f"2011-{1 + number // 240:02d}-01 10:00:00"
        rows.append(row(str(10_000 + number), at=at, price="12.00", customer=500 + number % 200))
    # More than two batches of returns: the kill falls between them.
    for number in range(1200):
        customer = 500 + number % 200
        rows.append(row(f"C{number}", quantity=-1, at="2011-12-01 10:00:00", price="12.00", customer=customer))
    return write_file(folder, *rows)


def start_command(path: Path) -> subprocess.Popen[bytes]:
    settings = connection.settings_dict
    if connection.vendor == "postgresql":
        address = f"postgres://{settings['USER']}@/{settings['NAME']}?host={settings['HOST']}"
    else:
        address = f"sqlite:///{settings['NAME']}"
    environment = os.environ | {"DATABASE_URL": address, "LOG_LEVEL": "WARNING"}
    command = [sys.executable, "manage.py", "import_purchases", str(path), "--source=shop", "--currency=GBP"]
    with path.with_suffix(".log").open("ab") as log:
        return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)


def wait_for(model: type[Model], count: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 120
    while model._default_manager.count() < count:
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline
        time.sleep(0.01)


def totals() -> str:
    balances = sorted(
        PointsAccount.objects.filter(point_type="SPENDABLE").values_list("member__identities__value", "balance")
    )
    return json.dumps([Purchase.objects.count(), Return.objects.count(), PointsEntry.objects.count(), balances])


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("model", "count"), [(Purchase, 1), (Purchase, 1000), (Return, 500)])
def test_a_killed_import_carries_on_to_the_totals_of_an_undisturbed_one(tmp_path, model, count):
    make_rule()
    set_programme(expiry_policy="NEVER")
    path = big_file(tmp_path)
    process = start_command(path)
    wait_for(model, count, process, path.with_suffix(".log"))
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert PurchaseImport.objects.get().state == PurchaseImport.State.RUNNING
    assert start_command(path).wait(timeout=300) == 0
    kept = PurchaseImport.objects.get()
    assert kept.state == PurchaseImport.State.DONE
    assert (kept.counts["purchases"], kept.counts["returns"]) == (2400, 1200)
    assert kept.counts["known"] >= count
    # Undisturbed: each of 200 customers bought 12 times at 12 points and brought half of it back.
    assert totals() == json.dumps([2400, 1200, 3600, [[str(500 + place), 144 - 72] for place in range(200)]])
