"""Kubeconfigs of service accounts: what a process of ours would have in a cluster."""

from pathlib import Path

import yaml

from tests.e2e.programs import clean_environment, run

NAMESPACE = "lambent-system"


def kubeconfig_of(account: str, admin: Path, folder: Path) -> Path:
    """The administrator's kubeconfig with the account's token in it; kubectl asks the server for the token."""
    env = clean_environment({"KUBECONFIG": str(admin), "HOME": str(folder)})
    token = run("kubectl", "-n", NAMESPACE, "create", "token", account, env=env).strip()
    config = yaml.safe_load(admin.read_text())
    for user in config["users"]:
        user["user"] = {"token": token}
    path = folder / f"{account}.kubeconfig"
    path.write_text(yaml.safe_dump(config))
    return path
