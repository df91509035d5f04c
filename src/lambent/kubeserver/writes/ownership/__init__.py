"""Who owns which field: server-side apply and the bookkeeping of all other writes (`metadata.managedFields`).

    shapes     what a schema says of merging: struct, map, atomic, set, keyed list
    fieldsets  sets of fields as tries in the form they are stored in (FieldsV1)
    fitting    whether what is applied fits its schema
    values     walks of a value by its shape: its field set, comparison, merge, removal
    managers   entries of managedFields
    tracking   what a write does to the entries; `apply` in full

Source: Kubernetes docs, "Server-Side Apply"; KEP-555; structured-merge-diff (behaviour).
"""

from lambent.kubeserver.writes.ownership.fitting import misfits
from lambent.kubeserver.writes.ownership.shapes import DEDUCED
from lambent.kubeserver.writes.ownership.tracking import Applied, apply, shape_of, track, where_of

__all__ = ["DEDUCED", "Applied", "apply", "misfits", "shape_of", "track", "where_of"]
