"""The addresses that exist in the demonstration only."""

from django.urls import path

from config.demo.mailbox import mailbox

urlpatterns = [path("mailbox/", mailbox, name="demo-mailbox")]
