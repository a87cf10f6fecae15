"""The addresses of the pages of feedback."""

from django.urls import path

from feedback.web import views

app_name = "feedback"

urlpatterns = [
    path("s/<slug:token>/", views.answer, name="answer"),
    path("s/<slug:token>/thanks/", views.thanks, name="thanks"),
    path("s/<slug:token>/stop/", views.stop, name="stop"),
    path("surveys/", views.surveys, name="surveys"),
]
