"""Who a request acts as: `kubectl --as`, `--as-group` and `--as-uid`. Any token may, as nothing is enforced.

Source: Kubernetes docs, "User impersonation"; kube-apiserver 1.34. Not here: `Impersonate-Extra-*`: nothing shows it.
"""

from lambent.http.message import Request
from lambent.kubeserver.call import ANONYMOUS, User
from lambent.kubeserver.status import ApiError

_USER, _GROUP, _UID = b"impersonate-user", b"impersonate-group", b"impersonate-uid"
_ACCOUNT = "system:serviceaccount:"
_AUTHENTICATED = "system:authenticated"


def acting_as(request: Request, user: User) -> User:
    """The user that the headers name, else `user`; raises 500, as kube-apiserver does, for groups or a uid alone."""
    given = [(name, value.decode("latin-1")) for name, value in request.headers if name.startswith(b"impersonate-")]
    if not given:
        return user
    name = next((value for header, value in given if header == _USER), "")
    if not name:
        raise ApiError(500, "requested groups, a uid or more without impersonating a user", reason="InternalError")
    if name == ANONYMOUS.name:
        return ANONYMOUS
    groups = [value for header, value in given if header == _GROUP] or _account_groups(name)
    uid = next((value for header, value in given if header == _UID), "")
    return User(name, tuple(dict.fromkeys([*groups, _AUTHENTICATED])), uid)


def _account_groups(name: str) -> list[str]:
    """Those of a service account; other users have none of their own."""
    namespace, _, account = name.removeprefix(_ACCOUNT).partition(":")
    if not name.startswith(_ACCOUNT) or not account:
        return []
    return ["system:serviceaccounts", f"system:serviceaccounts:{namespace}"]
