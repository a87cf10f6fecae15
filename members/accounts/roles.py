"""The roles of staff: what `roles.toml` says, brought into the database as groups."""

import tomllib
from pathlib import Path

from django.contrib.auth.models import Group, Permission

from members.events.audit_log import write_audit
from members.lib.transactions import retried

MATRIX = Path(__file__).with_name("roles.toml")


class UnknownPermission(Exception):
    """The matrix names a table or an act that does not exist."""


def matrix() -> dict[str, set[str]]:
    """Return the permissions of each role as the file says, as ``members.view_member``; ``*`` spelled out."""
    known = {
        f"{app}.{codename}" for app, codename in Permission.objects.values_list("content_type__app_label", "codename")
    }
    said = tomllib.loads(MATRIX.read_text(encoding="utf-8"))
    roles = {role: _spelled_out(apps, known) for role, apps in said.items()}
    unknown = set().union(*roles.values()) - known
    if unknown:
        raise UnknownPermission(", ".join(sorted(unknown)))
    return roles


def _spelled_out(apps: dict[str, dict[str, list[str]]], known: set[str]) -> set[str]:
    asked = {f"{app}.{act}_{table}" for app, acts in apps.items() for act, tables in acts.items() for table in tables}
    starred = {name[:-1] for name in asked if name.endswith("*")}
    spelled = {name for name in known if any(name.startswith(start) for start in starred)}
    return spelled | {name for name in asked if not name.endswith("*")}


@retried
def sync_roles() -> dict[str, int]:
    """Make each role's group hold exactly what the matrix says; return the number of permissions by role.

    Repeating it changes nothing. Raises UnknownPermission.
    """
    by_name = {
        f"{permission.content_type.app_label}.{permission.codename}": permission
        for permission in Permission.objects.select_related("content_type")
    }
    roles = matrix()
    for role, names in roles.items():
        group, _made = Group.objects.get_or_create(name=role)
        before = set(group.permissions.values_list("pk", flat=True))
        after = {by_name[name].pk for name in names}
        if before != after:
            group.permissions.set(after)
            data = {"permissions": len(after)}
            write_audit(actor_id=None, action="role.synced", target=f"role {role}", reason="roles.toml", data=data)
    return {role: len(names) for role, names in roles.items()}
