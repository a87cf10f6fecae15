"""The addresses of the pages of campaigns."""

from django.urls import URLPattern, path

from campaigns.web import consent, referral

app_name = "campaigns"

urlpatterns: list[URLPattern] = [
    path("refer/", referral.refer, name="refer"),
    path("r/<str:code>/", referral.landing, name="referral_landing"),
    path("u/<str:token>/", consent.unsubscribe_page, name="unsubscribe"),
    path("preferences/", consent.preferences, name="preferences"),
]
