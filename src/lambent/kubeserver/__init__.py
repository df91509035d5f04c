"""The embedded Kubernetes API server: persistent, crash-safe, served to unmodified clients, callable in process.

`KubeServer` is the daemon, `LocalClient` its client without a socket. It imports no controller; RBAC is not enforced.
"""

from lambent.kubeserver.local import LocalClient
from lambent.kubeserver.pods import LogRequest, LogSource
from lambent.kubeserver.server import KubeServer
from lambent.kubeserver.stack import AuditEvent

__all__ = ["AuditEvent", "KubeServer", "LocalClient", "LogRequest", "LogSource"]
