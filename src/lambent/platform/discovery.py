"""Finding a platform that runs on this machine, and the variables that point clients at it."""

from pathlib import Path

from lambent.errors import UsageError
from lambent.platform.state import Endpoints, StateDirectory

# moto and our Lambda accept any keys; these say what they are.
DUMMY_KEY = "lambent"


def require_running(state: Path) -> Endpoints:
    """The platform on this state directory; raises `UsageError` when none runs."""
    endpoints = StateDirectory(state).endpoints()
    if endpoints is None:
        raise UsageError(f"no platform runs on {state}; start one with `lambent up`, or name its --state")
    return endpoints


def client_environment(running: Endpoints) -> dict[str, str]:
    """What kubectl, the aws CLI and every AWS SDK read."""
    return {
        "KUBECONFIG": running.kubeconfig,
        **aws_environment(running.aws, running.region),
    }


def aws_environment(endpoint: str, region: str) -> dict[str, str]:
    """What every AWS SDK needs to reach the embedded AWS: endpoint, region, dummy keys; nothing of the shell's."""
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "AWS_ACCESS_KEY_ID": DUMMY_KEY,
        "AWS_SECRET_ACCESS_KEY": DUMMY_KEY,
    }
