"""The admin of rewards: pictures checked, stock and codes with a trail, redemptions by actions only."""

import io
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from PIL import Image

from members.events.models import Audit
from members.ledger.statements import spendable_points
from rewards.catalogue.models import Reward
from rewards.codes.models import Code
from rewards.redemption.models import Redemption
from rewards.stock.models import RewardStock
from tests.rewards.factories import NOON, make_login, make_member, make_redemption, make_reward

pytestmark = pytest.mark.django_db


@pytest.fixture
def clerk(client, settings, tmp_path):
    """Return a superuser who is signed in."""
    settings.STAFF_MFA_REQUIRED = False
    settings.MEDIA_ROOT = tmp_path
    user = make_login(is_staff=True, is_superuser=True)
    client.force_login(user)
    return user


def admin(name, *arguments):
    """Return an address of the admin."""
    return reverse(f"admin:rewards_{name}", args=arguments)


def fields(**changes):
    """Return what the form of a reward sends."""
    return {
        "kind": "coupon",
        "points": 100,
        "order": 0,
        "name_en": "Coffee",
        "usable_after_days": 0,
        "stacking": "TOGETHER",
        "handover": "SHOW",
        "collect_days": 14,
        "hold_hours": 48,
        "stock_slots": 1,
        "limits-TOTAL_FORMS": 0,
        "limits-INITIAL_FORMS": 0,
        "tier_prices-TOTAL_FORMS": 0,
        "tier_prices-INITIAL_FORMS": 0,
        "is_active": "on",
        "is_unlimited": "on",
    } | changes


def test_staff_spread_the_stock_of_a_flash_offer(client, clerk):
    reward = make_reward()
    response = client.post(admin("reward_change", reward.pk), fields(stock_slots=16, low_stock_at=3))
    assert response.status_code == 302, response.context["adminform"].form.errors
    reward.refresh_from_db()
    assert (reward.stock_slots, reward.low_stock_at) == (16, 3)


def picture(kind="PNG", size=(8, 8)):
    """Return an upload."""
    target = io.BytesIO()
    Image.new("RGB", size).save(target, format=kind)
    return SimpleUploadedFile("holiday.png", target.getvalue(), content_type="image/png")


def act(client, action, *redemptions, **data):
    """Run an action on redemptions."""
    chosen = {"action": action, "_selected_action": [row.pk for row in redemptions]}
    return client.post(admin("redemption_changelist"), chosen | data, follow=True)


def test_a_reward_is_made_with_a_rewritten_picture(client, clerk):
    response = client.post(admin("reward_add"), fields(image=picture()))
    assert response.status_code == 302, response.context["adminform"].form.errors
    reward = Reward.objects.get()
    assert str(reward.image).endswith(".webp")
    assert "holiday" not in str(reward.image)
    with reward.image.open() as file:
        assert Image.open(file).format == "WEBP"


@pytest.mark.parametrize(
    "bad",
    [SimpleUploadedFile("x.svg", b"<svg onload='alert(1)'/>", "image/svg+xml"), picture(size=(5001, 4001))],
)
def test_a_bad_picture_is_refused_with_a_sentence(client, clerk, bad):
    response = client.post(admin("reward_add"), fields(image=bad))
    assert response.status_code == 200
    assert "image" in response.context["adminform"].form.errors
    assert not Reward.objects.exists()


def test_a_picture_stays_until_it_is_removed(client, clerk):
    client.post(admin("reward_add"), fields(image=picture()))
    reward = Reward.objects.get()
    client.post(admin("reward_change", reward.pk), fields(name_en="Tea"))
    reward.refresh_from_db()
    assert (reward.name_en, bool(reward.image)) == ("Tea", True)
    assert "<img" in client.get(admin("reward_change", reward.pk)).content.decode()
    client.post(admin("reward_change", reward.pk), fields(remove_image="on"))
    reward.refresh_from_db()
    assert not reward.image


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"points": 0}, "points"),
        ({"offered_from_0": "2026-05-02", "offered_from_1": "10:00", "offered_until_0": "2026-05-01",
          "offered_until_1": "10:00"}, "offered_until"),
        ({"kind": "wish"}, "kind"),
        ({"kind": "percent_off"}, "percent_off"),
        ({"kind": "money_off", "money_off": "5.001"}, "money_off"),
        ({"money_price": "5.5", "currency": "JPY"}, "money_price"),
        ({"kind": "event"}, "starts_at"),
        ({"kind": "online", "link": "javascript:alert(1)"}, "link"),
        ({"kind": "gift", "handover": "THROWN"}, "handover"),
    ],
)  # fmt: skip
def test_nonsense_is_refused_by_the_form(client, clerk, changes, field):
    response = client.post(admin("reward_add"), fields(**changes))
    assert field in response.context["adminform"].form.errors


def test_the_list_shows_what_is_left(client, clerk):
    make_reward(stock=7)
    make_reward(stock=None, codes=["CODE-1", "CODE-2"])
    text = client.get(admin("reward_changelist")).content.decode()
    assert ">7<" in text
    assert "2 codes" in text


def test_stock_is_changed_with_a_reason_once_per_form(client, clerk):
    reward = make_reward(stock=2)
    address = admin("reward_stock", reward.pk)
    sent = {"quantity": 5, "reason": "delivery note 7", "key": "k" * 20}
    for _time in range(2):
        assert client.post(address, sent).status_code == 302
    assert RewardStock.objects.get().on_hand == 7
    assert Audit.objects.get(reason="delivery note 7").actor == clerk
    assert "delivery note 7" in client.get(address).content.decode()


@pytest.mark.parametrize("sent", [{"quantity": 0}, {"reason": ""}, {"quantity": -3}])
def test_stock_cannot_be_changed_by_nothing_or_without_reason_or_below_zero(client, clerk, sent):
    reward = make_reward(stock=2)
    complete = {"quantity": 1, "reason": "x", "key": "k" * 20} | sent
    assert client.post(admin("reward_stock", reward.pk), complete).status_code == 200
    assert RewardStock.objects.get().on_hand == 2


def test_codes_are_uploaded_from_text_and_file_with_a_report(client, clerk):
    reward = make_reward(codes=["KNOWN-1"])
    file = SimpleUploadedFile("codes.txt", b"\xef\xbb\xbfFILE-1\r\nKNOWN-1\r\n")
    response = client.post(admin("reward_codes", reward.pk), {"codes": "TYPED-1\nTYPED-1", "file": file})
    report = response.context["report"]
    assert (report.added, report.repeated, report.known) == (2, ["TYPED-1"], ["KNOWN-1"])
    assert set(Code.objects.values_list("code", flat=True)) == {"KNOWN-1", "TYPED-1", "FILE-1"}


def test_a_file_that_is_no_text_is_refused(client, clerk):
    file = SimpleUploadedFile("codes.xlsx", b"PK\x03\x04\xff\xfe")
    response = client.post(admin("reward_codes", make_reward().pk), {"codes": "", "file": file})
    assert response.context["upload"].errors
    assert not Code.objects.exists()


def test_codes_are_generated(client, clerk):
    reward = make_reward()
    assert client.post(admin("reward_codes", reward.pk), {"generate": "1", "count": 30}).status_code == 302
    assert Code.objects.free(reward.pk).count() == 30


def test_redemptions_are_marked_used_and_undone(client, clerk):
    redemption = make_redemption(member=make_member(points=100), reward=make_reward())
    act(client, "mark_used", redemption)
    assert Redemption.objects.get().state == "FULFILLED"
    act(client, "undo_used", redemption)
    assert Redemption.objects.get().state == "CAPTURED"


def test_cancelling_asks_for_a_reason_first(client, clerk):
    member = make_member(points=100)
    redemption = make_redemption(member=member, reward=make_reward())
    assert "The points go back" in act(client, "cancel", redemption).content.decode()
    assert Redemption.objects.get().state == "CAPTURED"
    act(client, "cancel", redemption, reason="cracked", by_seller="on")
    assert Redemption.objects.get().cancel_reason == "cracked"
    assert spendable_points(member.pk, NOON) == 100


def test_what_is_not_possible_is_said_and_the_rest_is_done(client, clerk):
    member, reward = make_member(points=200), make_reward()
    used, still_open = (make_redemption(member=member, reward=reward, key=key) for key in ("a", "b"))
    act(client, "mark_used", used)
    text = act(client, "cancel", used, still_open, reason="x").content.decode()
    assert f"Not possible: {used.public_id} is used or handed over" in text
    assert set(Redemption.objects.values_list("state", flat=True)) == {"FULFILLED", "CANCELLED"}


def test_a_code_is_found_as_people_type_it(client, clerk):
    redemption = make_redemption(member=make_member(points=100), reward=make_reward())
    typed = "-".join([redemption.code[:9], redemption.code[9:]]).lower().replace("0", "o")
    other = make_redemption(member=make_member(points=100), reward=make_reward())
    text = client.get(admin("redemption_changelist"), {"q": typed}).content.decode()
    assert redemption.public_id in text or f"…{redemption.code[-4:]}" in text
    assert redemption.code not in text
    assert f"…{other.code[-4:]}" not in text
    part = client.get(admin("redemption_changelist"), {"q": redemption.code[:10]}).content.decode()
    assert f"…{redemption.code[-4:]}" not in part
    shown = client.get(admin("redemption_change", redemption.pk)).content.decode()
    assert redemption.code not in shown


def test_no_redemption_is_added_edited_or_deleted_by_hand(client, clerk):
    redemption = make_redemption(member=make_member(points=100), reward=make_reward())
    assert client.get(admin("redemption_add")).status_code == 403
    assert client.post(admin("redemption_delete", redemption.pk), {"post": "yes"}).status_code == 403
    client.post(admin("redemption_change", redemption.pk), {"points": 1})
    assert Redemption.objects.get().points == 100
    assert client.get(admin("redemption_change", redemption.pk)).status_code == 200


def test_who_may_only_look_cannot_act(client, settings):
    settings.STAFF_MFA_REQUIRED = False
    viewer = make_login(is_staff=True)
    viewer.user_permissions.set(Permission.objects.filter(codename__in=["view_redemption", "view_reward"]))
    client.force_login(viewer)
    redemption = make_redemption(member=make_member(points=100), reward=make_reward())
    act(client, "mark_used", redemption)
    assert Redemption.objects.get().state == "CAPTURED"
    for page in ("reward_stock", "reward_codes"):
        assert client.get(admin(page, redemption.reward_id)).status_code == 403


def test_the_kind_is_asked_first_and_decides_about_the_fields(client, clerk):
    text = client.get(admin("reward_add")).content.decode()
    assert "?kind=percent_off" in text
    assert "name_en" not in text
    form = client.get(admin("reward_add"), {"kind": "percent_off"}).context["adminform"].form
    assert {"percent_off", "most_off", "valid_days", "needs_code_pool"} <= form.fields.keys()
    assert not {"money_off", "link", "starts_at", "handover"} & form.fields.keys()
    assert form.initial["kind"] == "percent_off"


def test_amounts_are_typed_in_whole_units_of_the_currency(client, clerk):
    client.post(admin("reward_add"), fields(kind="money_off", money_off="5.00", minimum_purchase="40", cost="1.5"))
    reward = Reward.objects.get()
    assert (reward.money_off, reward.minimum_purchase, reward.cost) == (500, 4000, 150)
    form = client.get(admin("reward_change", reward.pk)).context["adminform"].form
    assert str(form["money_off"].value()) == "5.00"
    assert "In GBP, such as 5.00." in form.fields["money_off"].help_text
    client.post(admin("reward_change", reward.pk), fields(kind="money_off", money_off="700", currency="JPY"))
    reward.refresh_from_db()
    assert (reward.money_off, reward.minimum_purchase) == (700, None)


def test_another_kind_forgets_what_it_does_not_have(client, clerk):
    reward = make_reward(kind="donation", stock=None, money_off=100)
    client.post(admin("reward_change", reward.pk), fields(kind="gift", handover="SEND"))
    reward.refresh_from_db()
    assert (reward.kind, reward.handover, reward.money_off) == ("gift", "SEND", None)


def test_the_kind_of_what_members_have_stays(client, clerk):
    reward = make_reward()
    make_redemption(member=make_member(points=100), reward=reward)
    response = client.post(admin("reward_change", reward.pk), fields(kind="gift"))
    assert "its kind stays" in str(response.context["adminform"].form.errors["kind"])


def test_a_picture_is_kept_in_three_widths(client, clerk):
    client.post(admin("reward_add"), fields(image=picture(size=(2000, 1000))))
    reward = Reward.objects.get()
    assert (reward.image_width, reward.image_height) == (1280, 640)
    assert [each.split()[1] for each in reward.picture_sources.split(", ")] == ["320w", "640w", "1280w"]
    for width in (320, 640, 1280):
        response = client.get(f"{reward.picture_url}&w={width}")
        assert Image.open(io.BytesIO(b"".join(response.streaming_content))).size == (width, width // 2)
    text = client.get(reverse("rewards:catalogue")).content.decode()
    assert 'width="1280" height="640" alt="" loading="lazy"' in text
    client.post(admin("reward_change", reward.pk), fields(image=picture(size=(8, 8))))
    reward.refresh_from_db()
    assert reward.picture_sources.split()[1] == "8w"


def test_the_preview_is_for_staff_and_shows_what_is_hidden(client, clerk):
    reward = make_reward(is_active=False, name_en="Secret tea")
    address = reverse("rewards:preview", args=[reward.public_id])
    text = client.get(address).content.decode()
    assert "Secret tea" in text
    assert "Preview" in text
    client.force_login(make_login())
    assert client.get(address).status_code == 403
    client.force_login(make_login(is_staff=True))
    assert client.get(address).status_code == 403


def test_the_list_says_where_the_dates_stand(client, clerk):
    make_reward(offered_until=NOON)
    assert "over" in client.get(admin("reward_changelist")).content.decode()


def test_the_catalogue_goes_out_and_comes_in_after_a_look(client, clerk):
    make_reward(code="tea")
    text = client.get(admin("reward_export", "csv")).content.decode().replace(",100,", ",120,")
    file = SimpleUploadedFile("catalogue.csv", text.encode())
    response = client.post(admin("reward_import"), {"file": file})
    assert "Nothing was written" in response.content.decode()
    assert response.context["report"].count("changed") == 1
    assert Reward.objects.get().points == 100
    file.seek(0)
    client.post(admin("reward_import"), {"file": file, "write": "on"})
    assert Reward.objects.get().points == 120
    assert client.get(admin("reward_export", "json")).json()[0]["code"] == "tea"
    bad = SimpleUploadedFile("catalogue.csv", b"colour\nred\n")
    assert "Unknown columns" in client.post(admin("reward_import"), {"file": bad}).content.decode()


def test_who_may_only_look_imports_nothing(client, settings):
    settings.STAFF_MFA_REQUIRED = False
    viewer = make_login(is_staff=True)
    viewer.user_permissions.set(Permission.objects.filter(codename="view_reward"))
    client.force_login(viewer)
    assert client.get(admin("reward_import")).status_code == 403
    assert client.get(admin("reward_export", "csv")).status_code == 200
    assert client.get(admin("reward_export", "exe")).status_code == 403
    assert client.get(admin("reward_calendar")).status_code == 200
    client.force_login(make_login(is_staff=True))
    assert client.get(admin("reward_calendar")).status_code == 403
    assert client.get(admin("reward_export", "csv")).status_code == 403


def test_the_calendar_shows_gaps_and_overlaps(client, clerk):
    may = datetime(2026, 4, 30, 23, tzinfo=UTC)
    make_reward(
        name_en="Early", visible_from=may, offered_from=may + timedelta(days=2), offered_until=may + timedelta(days=10)
    )
    make_reward(name_en="Late", offered_from=may + timedelta(days=7))
    response = client.get(admin("reward_calendar"), {"from": "2026-05"})
    lines = response.context["calendar"].lines
    assert [line.name for line in lines] == ["without category", "Early", "Late"]
    assert [(bar.left, bar.width, bar.kind) for bar in lines[0].bars] == [
        (0, 2, "gap"), (2, 5, "one"), (7, 3, "several"), (10, 174, "one"),
    ]  # fmt: skip
    assert [(bar.left, bar.width, bar.kind) for bar in lines[1].bars] == [(0, 10, "shown"), (2, 8, "offered")]
    assert "Nothing on offer: 1 May 2026 – 2 May 2026" in response.content.decode()
    assert client.get(admin("reward_calendar"), {"from": "x"}).status_code == 200
