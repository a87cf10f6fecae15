"""The addresses of the pages of members."""

from django.urls import URLPattern, path

from members.web import card, giving, household, lost_card, plans, views
from members.web.forgotten import forgotten
from members.web.signup import PhoneSignup

app_name = "portal"

urlpatterns: list[URLPattern] = [
    path("", views.home, name="home"),
    path("card/", card.card, name="card"),
    path("card/code/", card.code, name="card_code"),
    path("card/lost/", lost_card.lost, name="lost_card"),
    path("history/", views.history, name="history"),
    path("give/", giving.give, name="give"),
    path("household/", household.household, name="household"),
    path("household/leave/", household.leave, name="household_leave"),
    path("household/remove/", household.remove, name="household_remove"),
    path("history/<int:entry_id>/bring-back/", views.bring_back, name="bring_back"),
    path("forgotten/", forgotten, name="forgotten"),
    path("tiers/", views.tiers, name="tiers"),
    path("plans/", plans.plans, name="plans"),
    path("plans/cancel/", plans.cancel, name="plan_cancel"),
    path("plans/resume/", plans.resume, name="plan_resume"),
    path("plans/<slug:code>/", plans.order, name="plan_order"),
    path("profile/", views.profile, name="profile"),
    path("more/", views.more, name="more"),
    path("join/", views.join, name="join"),
    path("accounts/signup/mobile/", PhoneSignup.as_view(), name="signup_by_phone"),
]
