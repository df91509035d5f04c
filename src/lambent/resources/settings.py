"""What an operator sets for the resource controllers. Names and defaults follow ACK's flags where ACK has one."""

from dataclasses import dataclass, field

import lambent


@dataclass(frozen=True, slots=True)
class ResourceSettings:
    """Account and region are those of the credentials in use; times are seconds.

    `deletion_policy` is `delete` or `retain`; object and namespace annotations come before it. `resync_s` is 10 min
    (ACK: 10 h), so that drift is corrected while somebody still remembers who made it.
    """

    account_id: str
    region: str = "us-east-1"
    partition: str = "aws"
    deletion_policy: str = "delete"
    resync_s: float = 600.0
    concurrency: int = 8
    cross_namespace: bool = True
    resource_tags: tuple[str, ...] = field(
        default=(
            "services.k8s.aws/controller-version=%CONTROLLER_SERVICE%-%CONTROLLER_VERSION%",
            "services.k8s.aws/namespace=%K8S_NAMESPACE%",
        )
    )
    version: str = lambent.__version__
    manager: str = "lambent-resources"
