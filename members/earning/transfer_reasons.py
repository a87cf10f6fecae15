"""The sentences for points that go from one member to another."""

from typing import Any

from django.utils.translation import gettext as _

from members.earning.explanation import describes


@describes("merge")
def _merged(data: dict[str, Any]) -> str:
    return _("Two memberships became one; the points keep their dates.")


@describes("sign-up-twice")
def _sign_up_twice(data: dict[str, Any]) -> str:
    return _("The bonus for joining counts once for one person.")


@describes("member-gift")
def _given(data: dict[str, Any]) -> str:
    ends = {"giver": data["giver"], "taker": data["taker"]}
    return _("A gift: from the member number that ends in %(giver)s to the one that ends in %(taker)s.") % ends


@describes("household")
def _used_together(data: dict[str, Any]) -> str:
    ends = {"giver": data["giver"], "taker": data["taker"]}
    return (
        _("Your household: the member number that ends in %(giver)s helped the one that ends in %(taker)s to redeem.")
        % ends
    )


@describes("household-back")
def _given_back(data: dict[str, Any]) -> str:
    return _("Your household: a redemption was cancelled, and who had helped got the points back.")
