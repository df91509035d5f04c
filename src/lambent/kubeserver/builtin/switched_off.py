"""Members of Pods whose features Kubernetes 1.34 ships switched off: kube-apiserver drops them without a word.

Source: Kubernetes docs, "Feature Gates": ContainerRestartRules, ContainerStopSignals, ImageVolume, EnvFiles,
HostnameOverride, ClusterTrustBundleProjection, PodCertificateRequest.
"""

from typing import Any

_KINDS = ("initContainers", "containers", "ephemeralContainers")


def drop(spec: dict[str, Any]) -> None:
    """Of a Pod's spec, in place."""
    spec.pop("hostnameOverride", None)
    _image_volumes(spec)
    for volume in spec.get("volumes") or ():
        for source in (volume.get("projected") or {}).get("sources") or ():
            for name in ("clusterTrustBundle", "podCertificate"):
                source.pop(name, None)
    for kind in _KINDS:
        for one in spec.get(kind) or ():
            if kind != "initContainers" or one.get("restartPolicy") != "Always":  # a sidecar's is on
                one.pop("restartPolicy", None)
            one.pop("restartPolicyRules", None)
            _stop_signal(one)
            for entry in one.get("env") or ():
                (entry.get("valueFrom") or {}).pop("fileKeyRef", None)


def _stop_signal(one: dict[str, Any]) -> None:
    """And what held nothing else."""
    if (one.get("lifecycle") or {}).pop("stopSignal", None) is not None and not one["lifecycle"]:
        del one["lifecycle"]


def _image_volumes(spec: dict[str, Any]) -> None:
    volumes = spec.get("volumes") or ()
    gone = {volume.get("name", "") for volume in volumes if volume.get("image") is not None}
    if not gone:
        return
    _keep(spec, "volumes", [volume for volume in volumes if volume.get("image") is None])
    for kind in _KINDS:
        for one in spec.get(kind) or ():
            mounts = one.get("volumeMounts") or ()
            _keep(one, "volumeMounts", [mount for mount in mounts if mount.get("name", "") not in gone])


def _keep(owner: dict[str, Any], member: str, left: list[Any]) -> None:
    if left:
        owner[member] = left
    else:
        owner.pop(member, None)
