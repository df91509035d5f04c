"""What kube-apiserver 1.34 takes with a warning: doubtful values, deprecated members, what will have no effect."""

KINDS = frozenset(
    {
        *(("", kind) for kind in ("PersistentVolumeClaim", "Pod", "Secret", "Service", "ServiceAccount")),
        *(("apps", kind) for kind in ("DaemonSet", "Deployment", "ReplicaSet", "StatefulSet")),
        ("batch", "Job"),
        ("discovery.k8s.io", "EndpointSlice"),
        ("networking.k8s.io", "NetworkPolicy"),
    }
)
"""Those of which there is anything to warn: of all others nothing is loaded."""
