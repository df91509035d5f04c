"""Lookups of moto that go through everything it has, made to remember where they found it.

moto finds a role by its name by looking at all roles, several times per request: with a thousand of them that is a
quarter of its time. A remembered role is believed only if the back end still holds that very object under that name,
so nothing has to be forgotten when roles go, are reset or restored.
"""

from typing import Any

_REMEMBERED = 10_000
"""Then all is forgotten: of roles that went, too."""


def remember_roles(backend_class: Any) -> None:
    """Replaces `IAMBackend.get_role`; once, since moto's classes outlive us."""
    look = backend_class.get_role
    if getattr(look, "remembers", False):
        return
    found: dict[tuple[int, str], Any] = {}

    def get_role(self: Any, role_name: str) -> Any:
        key = (id(self), role_name)
        role = found.get(key)
        if role is not None and role.name == role_name and self.roles.get(role.id) is role:
            return role
        if len(found) >= _REMEMBERED:
            found.clear()
        role = found[key] = look(self, role_name)
        return role

    get_role.remembers = True  # type: ignore[attr-defined]  # marks it
    backend_class.get_role = get_role
