"""Which checks each builtin kind passes: of the object as it is, and of an update against the old object."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from lambent.kube.schema import Problem
from lambent.kubeserver.validation import (
    access,
    autoscalers,
    claims,
    config,
    endpoint_slices,
    events,
    jobs,
    pod_updates,
    pods,
    policies,
    services,
    workloads,
)

Check = Callable[[Any], Iterator[Problem]]
Comparison = Callable[[Any, Any], Iterator[Problem]]


class Checks(NamedTuple):
    """`update` runs on changes, `whole` on every write; some kinds are then told all of `whole` twice. `new` runs last,
    on what is created.
    """

    whole: Check | None = None
    update: Comparison | None = None
    new: Check | None = None
    is_told_twice: bool = False


_RBAC = "rbac.authorization.k8s.io"
CHECKS: dict[tuple[str, str], Checks] = {
    ("", "ConfigMap"): Checks(config.config_map, config.kept),
    ("", "Secret"): Checks(config.secret, config.kept_secret),
    ("", "Service"): Checks(services.service, services.kept_service),
    ("", "PersistentVolumeClaim"): Checks(claims.claim, claims.kept_claim, is_told_twice=True),
    ("", "Event"): Checks(events.legacy),
    ("events.k8s.io", "Event"): Checks(update=events.kept, new=events.strict),
    ("", "Pod"): Checks(pods.pod, pod_updates.kept_pod, pods.new_pod),
    ("apps", "Deployment"): Checks(workloads.deployment, workloads.kept_selector),
    ("apps", "ReplicaSet"): Checks(workloads.replica_set, workloads.kept_selector),
    ("apps", "StatefulSet"): Checks(workloads.stateful_set, workloads.kept_stateful_set, workloads.new_stateful_set),
    ("apps", "DaemonSet"): Checks(workloads.daemon_set, workloads.kept_selector),
    ("batch", "Job"): Checks(jobs.job, jobs.kept_job, jobs.new_job, is_told_twice=True),
    ("autoscaling", "HorizontalPodAutoscaler"): Checks(autoscalers.autoscaler),
    ("networking.k8s.io", "NetworkPolicy"): Checks(policies.network_policy, is_told_twice=True),
    ("policy", "PodDisruptionBudget"): Checks(policies.budget),
    ("discovery.k8s.io", "EndpointSlice"): Checks(endpoint_slices.endpoint_slice, endpoint_slices.kept_slice),
    ("coordination.k8s.io", "Lease"): Checks(access.lease),
    (_RBAC, "Role"): Checks(access.role, is_told_twice=True),
    (_RBAC, "ClusterRole"): Checks(access.cluster_role, is_told_twice=True),
    (_RBAC, "RoleBinding"): Checks(access.binding, access.kept_binding, is_told_twice=True),
    (_RBAC, "ClusterRoleBinding"): Checks(access.cluster_binding, access.kept_binding, is_told_twice=True),
}


def problems(group: str, kind: str, new: Any, old: Any) -> Iterator[Problem]:
    """Everything wrong with the object; `old` is None when it is new."""
    checks = CHECKS.get((group, kind))
    if checks is None:
        return
    if old is not None and checks.update is not None:
        yield from checks.update(new, old)
    if checks.whole is not None:
        yield from checks.whole(new)
        if old is not None and checks.is_told_twice:
            yield from checks.whole(new)
    if old is None and checks.new is not None:
        yield from checks.new(new)
