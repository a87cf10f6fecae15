"""The catalogue as a file: out, back in without a change, and all or nothing."""

import csv
import io
import json
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db.models import CharField, Value
from django.db.models.functions import Concat

from members.events.models import Audit
from rewards.catalogue.columns import COLUMNS, row_of
from rewards.catalogue.exporting import export_catalogue
from rewards.catalogue.importing import UnreadableCatalogue, import_catalogue
from rewards.catalogue.models import Category, Reward, RewardTierPrice
from rewards.partners.models import Partner
from tests.factories import make_store, set_programme
from tests.rewards.factories import NOON, make_event, make_member, make_redemption, make_reward, make_tiers

pytestmark = pytest.mark.django_db


def read(text, *, dry_run=False):
    """Import a text."""
    return import_catalogue(text=text, dry_run=dry_run, actor_id=None)


def as_csv(*rows):
    """Return rows as CSV."""
    target = io.StringIO()
    writer = csv.DictWriter(target, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return target.getvalue()


@pytest.fixture
def catalogue():
    """Return rewards with a value in every column."""
    _basic, gold = make_tiers()
    food = Category.objects.create(slug="food", name_en="Food")
    partner = Partner.objects.create(code="baker", name="Baker")
    reward = make_reward(
        code="cake", name_en='Cake, "warm"', name_zh_hans="蛋糕", description_en="=1+1\nLine two", terms_en="'quoted",
        category=food, kind="partner", partner=partner, minimum_tier=gold, segment="vip", money_price=250, cost=99,
        minimum_purchase=1000, valid_days=30, usable_after_days=1, stacking="ALONE", low_stock_at=3, order=4,
        visible_from=NOON, offered_from=NOON + timedelta(days=1), offered_until=NOON + timedelta(days=9),
        limits={"DAY": 1, "EVER": 5}, link="https://example.com/cake", motif="cup",
    )  # fmt: skip
    reward.stores.add(make_store("harbour"))
    RewardTierPrice.objects.create(reward=reward, tier=gold, points=80)
    make_event(code="tasting", place="Hall", ends_at=NOON.replace(year=2041))
    make_reward(name_en="No code", currency="JPY", money_price=500)
    return reward


@pytest.mark.parametrize("form", ["csv", "json"])
def test_what_goes_out_comes_back_without_a_change(catalogue, form):
    before = [row_of(reward) for reward in Reward.objects.order_by("pk")]
    report = read(export_catalogue(form=form))
    assert report.is_written
    assert report.counts == {"new": 0, "changed": 0, "same": 3, "wrong": 0}, report.lines
    assert [row_of(reward) for reward in Reward.objects.order_by("pk")] == before


@pytest.mark.parametrize("form", ["csv", "json"])
def test_a_catalogue_moves_to_an_empty_installation(catalogue, form):
    text = export_catalogue(form=form)
    before = sorted((row_of(reward) for reward in Reward.objects.all()), key=str)
    # Nothing of it is known any more.
    Reward.objects.update(code="", is_active=False, public_id=Concat(Value("old_"), "pk", output_field=CharField()))
    assert [read(text).counts for _ in range(2)] == [
        {"new": 3, "changed": 0, "same": 0, "wrong": 0},
        {"new": 0, "changed": 0, "same": 3, "wrong": 0},
    ]
    new = Reward.objects.exclude(public_id__startswith="old_")
    assert sorted((row_of(reward) for reward in new), key=str) == before


def test_amounts_are_in_whole_units_of_the_currency(catalogue):
    rows = {row["name_en"]: row for row in json.loads(export_catalogue(form="json"))}
    assert rows['Cake, "warm"']["money_price"] == "2.50"
    assert rows["No code"]["money_price"] == "500"
    read(as_csv({"code": "cake", "money_price": "3.5"}))
    assert Reward.objects.get(code="cake").money_price == 350


def test_a_spreadsheet_runs_nothing(catalogue):
    [row] = [
        row
        for row in csv.DictReader(io.StringIO(export_catalogue(form="csv").removeprefix("\ufeff")))
        if row["code"] == "cake"
    ]
    assert row["description_en"].startswith("'=1+1")


def test_a_line_changes_only_its_columns_and_names_them(catalogue):
    report = read(as_csv({"code": "cake", "points": "120", "limits": "WEEK:2", "name_en": "Tart"}))
    assert report.lines[0].action == "changed"
    assert set(report.lines[0].changes) == {"points", "limits", "name_en"}
    catalogue.refresh_from_db()
    assert (catalogue.points, catalogue.name, catalogue.valid_days) == (120, "Tart", 30)
    assert [(limit.period, limit.times) for limit in catalogue.limits.all()] == [("WEEK", 2)]
    assert catalogue.found_en.startswith("tart")


def test_a_repeat_changes_nothing(catalogue):
    text = as_csv({"code": "soup", "kind": "coupon", "name_en": "Soup", "points": "90", "is_active": "true"})
    assert [read(text).counts["new"] for _ in range(2)] == [1, 0]
    assert Reward.objects.filter(code="soup").count() == 1


def test_a_dry_run_tells_the_same_and_writes_nothing(catalogue):
    text = as_csv(
        {"code": "cake", "kind": "partner", "name_en": "Tart", "points": "70"},
        {"code": "soup", "kind": "coupon", "name_en": "Soup", "points": "90"},
    )
    dry = read(text, dry_run=True)
    assert not dry.is_written
    assert Reward.objects.get(code="cake").points == 100
    assert not Reward.objects.filter(code="soup").exists()
    assert not Audit.objects.filter(action="catalogue.imported").exists()
    assert [vars(line) for line in read(text).lines] == [vars(line) for line in dry.lines]
    assert Audit.objects.get(action="catalogue.imported").data == {"new": 1, "changed": 1, "same": 0, "wrong": 0}


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"points": "x"}, "points: “x” is not a whole number."),
        ({"points": "0"}, "points:"),
        ({"kind": "wand"}, "kind: “wand” does not exist."),
        ({"kind": "percent_off"}, "percent_off: This kind of reward needs it."),
        ({"money_off": "5.00"}, "money_off: This kind of reward does not have it."),
        ({"money_price": "1.234"}, "money_price: “1.234” is no amount"),
        ({"money_price": "NaN"}, "money_price: “NaN” is no amount"),
        ({"money_price": "-1"}, "money_price: “-1” is no amount"),
        ({"category": "nowhere"}, "category: “nowhere” does not exist."),
        ({"minimum_tier": "nobody"}, "minimum_tier: “nobody” does not exist."),
        ({"stores": "harbour moon"}, "stores: “moon” does not exist."),
        ({"limits": "DAY:1 DAY:2"}, "limits: One thing stands there twice."),
        ({"limits": "HOUR:1"}, "limits: “HOUR” does not exist."),
        ({"tier_prices": "t-gold:0"}, "tier_prices: “0” is not a whole number."),
        ({"is_active": "perhaps"}, "is_active: “perhaps” is neither true nor false."),
        ({"offered_from": "soon"}, "offered_from: “soon” is no date"),
        ({"link": "javascript:alert(1)", "kind": "online"}, "link:"),
        ({"currency": "POUNDS"}, "currency:"),
        ({"code": "", "public_id": "rwd_nothing"}, "There is no reward with this id."),
        ({"code": ""}, "A new reward needs a code."),
        ({"code": "cake"}, "The reward stands in the file twice."),
        ({"name_en": ""}, "name_en:"),
    ],
)
def test_one_wrong_line_writes_nothing_at_all(catalogue, wrong, told):
    before = [row_of(reward) for reward in Reward.objects.order_by("pk")]
    good = dict.fromkeys(COLUMNS, "") | row_of(catalogue) | {"points": "77"}
    new = {"kind": "coupon", "code": "soup", "name_en": "Soup", "points": "90"}
    bad = dict.fromkeys(COLUMNS, "") | new | wrong
    report = read(as_csv(good, bad))
    assert not report.is_written
    assert report.counts["wrong"] == 1
    assert told in " ".join(report.lines[1].problems)
    assert [row_of(reward) for reward in Reward.objects.order_by("pk")] == before


def test_the_kind_of_what_members_have_stays(catalogue):
    event = Reward.objects.get(code="tasting")
    make_redemption(member=make_member(points=100), reward=event)
    report = read(as_csv({"code": "tasting", "kind": "gift"}))
    assert "its kind stays" in " ".join(report.lines[0].problems)


@pytest.mark.parametrize(
    "text",
    ["", "code\n", "code,colour\nx,red\n", "code,points\nx,1,2\n", '[{"code": 1}, 2]', "[", '[{"colour": 1}]', '"\0'],
)
def test_what_is_no_catalogue_is_said(text):
    with pytest.raises(UnreadableCatalogue):
        read(text)


def test_instants_without_zone_are_the_programmes():
    set_programme(zone="Asia/Taipei")
    read(as_csv({"code": "a", "kind": "coupon", "name_en": "A", "points": "5", "offered_from": "2026-05-01T10:00"}))
    assert Reward.objects.get().offered_from.isoformat() == "2026-05-01T02:00:00+00:00"
    set_programme(zone="UTC")


def test_the_commands_do_the_same(catalogue, tmp_path, capsys):
    call_command("export_catalogue", "--form", "json")
    file = tmp_path / "catalogue.json"
    file.write_text(capsys.readouterr().out.replace('"points": "100"', '"points": "101"'), encoding="utf-8")
    call_command("import_catalogue", str(file), "--dry-run")
    assert "changed=3" in capsys.readouterr().out
    assert Reward.objects.get(code="cake").points == 100
    call_command("import_catalogue", str(file))
    assert "cake" in capsys.readouterr().out.lower()
    assert Reward.objects.get(code="cake").points == 101
    file.write_text('[{"code": "cake", "points": "x"}]', encoding="utf-8")
    with pytest.raises(SystemExit):
        call_command("import_catalogue", str(file))
    file.write_text("[", encoding="utf-8")
    with pytest.raises(CommandError):
        call_command("import_catalogue", str(file))
