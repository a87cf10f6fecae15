"""Django's admin as an app, with our site in the place of Django's."""

from django.contrib.admin.apps import AdminConfig


class StaffConfig(AdminConfig):
    """The admin whose pages `config.staff_site` frames."""

    default_site = "config.staff_site.StaffSite"
