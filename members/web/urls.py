"""The addresses of the pages of members."""

from django.urls import URLPattern, path

from members.web import views
from members.web.forgotten import forgotten
from members.web.signup import PhoneSignup

app_name = "portal"

urlpatterns: list[URLPattern] = [
    path("", views.home, name="home"),
    path("card/", views.card, name="card"),
    path("history/", views.history, name="history"),
    path("forgotten/", forgotten, name="forgotten"),
    path("tiers/", views.tiers, name="tiers"),
    path("profile/", views.profile, name="profile"),
    path("more/", views.more, name="more"),
    path("join/", views.join, name="join"),
    path("accounts/signup/mobile/", PhoneSignup.as_view(), name="signup_by_phone"),
]
