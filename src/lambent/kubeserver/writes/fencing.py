"""Fencing: a write that names a lease's term is refused once the lease has a newer one.

`Lambent-Fence: namespace/lease/term`, or `lease/term` in the request's own namespace; the term is the Lease's
`leaseTransitions`. So a leader that was paused and wakes up cannot overwrite what its successor did. Source: ours.
"""

from typing import Any

from lambent.kubeserver.call import Call
from lambent.kubeserver.status import ApiError, bad_request
from lambent.kubeserver.storage.store import Store

HEADER = b"lambent-fence"
_DIGITS = 18  # a Lease counts in 32 bits
_LEASES = "leases.coordination.k8s.io"
_WRITES = frozenset({"create", "update", "patch", "delete", "deletecollection"})


def check_fence(call: Call, store: Store) -> None:
    """Raises 409 for an older term, 400 for a header that cannot be read."""
    given = call.request.header(HEADER)
    if not given or call.verb not in _WRITES:
        return
    value = given.decode("latin-1")
    path, _, term = value.rpartition("/")
    if not path or not term.isdigit() or len(term) > _DIGITS:
        raise bad_request(f"Lambent-Fence {value!r} is not lease/term")
    if "/" not in path:
        path = f"{call.namespace}/{path}"
    record = store.peek(_LEASES, path)
    held: Any = record.load().get("spec") or {} if record is not None else {}
    present = held.get("leaseTransitions") or 0
    if int(term) < present:
        raise ApiError(409, f"the term {term} of lease {path} is over: it is in term {present} now", details={})
