"""Lists for packing and files of tracking numbers, and the pages of staff around them."""

import csv
import io

import pytest
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from members.events.models import Audit
from rewards.handover.files import UnreadableFile, address_list, import_sent
from rewards.handover.models import Parcel
from rewards.handover.parcels import Address, redeem_and_send, take_up
from tests.rewards.factories import NOON, make_login, make_member, make_reward

pytestmark = pytest.mark.django_db


def make_parcels(count, **address):
    """Return redemptions that wait to be sent."""
    reward = make_reward(kind="gift", name_en="Mug", handover="SEND", stock=50)
    said = {
        "name": "Ada Example", "phone": "+442079460000", "line1": "1 Sample Street", "line2": "",
        "postal_code": "N1 1AA", "city": "London", "country": "GB",
    }  # fmt: skip
    return [
        redeem_and_send(
            member_id=make_member(points=100).pk, reward_id=reward.pk, key="k", address=Address(**(said | address)),
            at=NOON,
        )
        for _ in range(count)
    ]  # fmt: skip


def text_of(*rows):
    """Return a file."""
    return "redemption,carrier,tracking\n" + "\n".join(",".join(row) for row in rows)


def take(text, *, dry_run=False):
    """Read a file."""
    return import_sent(text=text, dry_run=dry_run, actor_id=None, at=NOON)


def test_no_cell_of_the_list_is_a_formula():
    [row] = make_parcels(1, name="=1+1", line1="@x")
    found = take_up(parcel_ids=[row.parcel.pk], actor_id=None, at=NOON)
    [line] = csv.DictReader(io.StringIO(address_list(found)))
    assert (line["name"], line["line1"], line["phone"]) == ("'=1+1", "'@x", "'+442079460000")
    assert line["redemption"] == row.public_id


def test_a_file_sends_all_and_twice_is_once():
    one, two = make_parcels(2)
    text = text_of((two.public_id, "Post", "B"), (one.public_id, "Post", "A"))
    tried = take(text, dry_run=True)
    assert (tried.sent, tried.is_written, Parcel.objects.filter(state="SENT").count()) == (2, False, 0)
    done, again = take(text), take(text)
    assert (done.sent, done.is_written) == (2, True)
    assert (again.sent, again.same) == (0, 2)
    assert dict(Parcel.objects.values_list("redemption_id", "tracking")) == {one.pk: "A", two.pk: "B"}


def test_one_wrong_line_writes_nothing():
    one, two = make_parcels(2)
    report = take(
        text_of((one.public_id, "Post", "A"), ("nobody", "Post", "C"), (two.public_id, "Post", ""),
                (one.public_id, "Post", "D"))
    )  # fmt: skip
    assert [number for number, _problem in report.wrong] == [3, 4, 5]
    assert not report.is_written
    assert not Parcel.objects.filter(state="SENT").exists()


@pytest.mark.parametrize("text", ["", "a,b\n", 'redemption,carrier,tracking\n"x', text_of(*[("x", "y", "z")] * 2001)])
def test_what_is_no_such_file_is_refused(text):
    with pytest.raises(UnreadableFile):
        take(text)


def change_page(row):
    """Return the page of a parcel."""
    return reverse("admin:rewards_parcel_change", args=[row.parcel.pk])


def test_who_only_reads_sees_no_address(client, settings):
    settings.STAFF_MFA_REQUIRED = False
    reader = make_login(is_staff=True)
    reader.user_permissions.set(Permission.objects.filter(codename__in=["view_parcel"]))
    client.force_login(reader)
    [row] = make_parcels(1)
    shown = client.get(change_page(row))
    assert shown.status_code == 200
    assert "Sample Street" not in shown.content.decode()
    assert client.get(reverse("admin:rewards_parcel_sent")).status_code == 403


def test_staff_pack_send_and_deliver(client, settings):
    settings.STAFF_MFA_REQUIRED = False
    client.force_login(make_login(is_staff=True, is_superuser=True))
    rows = make_parcels(2)
    listing, sent = reverse("admin:rewards_parcel_changelist"), reverse("admin:rewards_parcel_sent")
    chosen = {"_selected_action": [row.parcel.pk for row in rows]}
    listed = client.post(listing, chosen | {"action": "list_addresses"})
    assert listed.content.decode().count("Ada Example") == 2
    assert Audit.objects.get(action="parcels.listed").data == {"parcels": [row.parcel.pk for row in rows]}
    file = text_of(*((row.public_id, "Post", "T") for row in rows)).encode()
    for write, state in (({}, "PROCESSING"), ({"write": "on"}, "SENT")):
        page = client.post(sent, {"file": SimpleUploadedFile("sent.csv", file), **write})
        assert page.status_code == 200
        assert Parcel.objects.filter(state=state).count() == 2
    assert "1 Sample Street" in client.get(change_page(rows[0])).content.decode()
    client.post(listing, chosen | {"action": "deliver"})
    assert Parcel.objects.filter(state="DELIVERED", redemption__state="FULFILLED").count() == 2
    assert client.get(listing, {"state": "DELIVERED"}).status_code == 200
