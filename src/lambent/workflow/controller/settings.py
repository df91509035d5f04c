"""What an operator may set about the workflow controller; every field with unit, default and reason."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ControllerSettings:
    """`namespace` limits the triggers that are served (None is all); definitions are read everywhere."""

    namespace: str | None = None
    # Searched for functions after the referrer's own namespace, in this order.
    libraries: tuple[str, ...] = ()
    # A name that exists once anywhere is found from everywhere, as tests do; off for shared clusters.
    allow_anywhere: bool = True
    # Passes at once per trigger kind: passes mostly wait for the API.
    concurrency: int = 32
    # Ok and Skip look again after this many seconds, spread by 10 %: at what the watches show, which costs no request.
    resync_s: float = 1200.0
    # A missing choice of workflow is looked at again at the latest after this many seconds.
    selection_retry_s: float = 120.0
    # The koreo.dev CRDs of another controller are left alone unless this is set.
    takeover: bool = False
