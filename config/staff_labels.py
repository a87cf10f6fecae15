"""Labels of fields that have no name of their own in the models, so that staff read them in their language.

A name in a model is written into the migrations; these are for the screen alone.
"""

from typing import Any

from django.apps import apps
from django.db.models import Field
from django.utils.translation import gettext_lazy as _

LABELS = {
    "actor": _("who"),
    "requested_by": _("asked by"),
    "invited_by": _("invited by"),
    "number": _("document number"),
    "source": _("source"),
    "created_at": _("created"),
    "point_type": _("points of type"),
    "account": _("points account"),
    "entry": _("points entry"),
    "key": _("key"),
    "status": _("status"),
    "user": _("login"),
    "giver": _("giver"),
    "taker": _("receiver"),
    "home_store": _("usual store"),
    "joined_store": _("store of joining"),
    "public_id": _("public number"),
}


def name_fields() -> None:
    """Give each nameless field its label: a relation called like its model takes that name, others as listed."""
    for model in apps.get_models():
        for field in model._meta.fields:  # noqa: SLF001 - Django's documented interface
            if "verbose_name" not in field.deconstruct()[3]:
                field.verbose_name = _label(field)


def _label(field: Field[Any, Any]) -> Any:
    related = field.related_model
    if related is not None and not isinstance(related, str):
        kind = related._meta  # noqa: SLF001 - Django's documented interface
        if kind.model_name == field.name:
            return kind.verbose_name
    return LABELS.get(field.name, field.verbose_name)
