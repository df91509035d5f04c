"""Which server, as whom: kubeconfig files and the in-cluster account, resolved as kubectl resolves them.

Order: an explicit path, `KUBECONFIG` (several files; the first definition of a name wins; relative paths belong to
their file), `~/.kube/config`, in-cluster. Inline `*-data` wins over a path. Without `proxy-url` the environment may
name a proxy. Legacy `auth-provider` is refused.
Source: Kubernetes documentation, "Organizing Cluster Access Using kubeconfig Files"; client-go clientcmd.
"""

import base64
import binascii
import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from lambent.errors import UsageError
from lambent.kube.credentials import ClientCertificate, Credentials, ExecPlugin, StaticCredentials, TokenFile
from lambent.kube.proxies import checked_proxy, environment_proxy

_log = logging.getLogger(__name__)
_SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
_PATH_FIELDS = ("certificate-authority", "client-certificate", "client-key", "tokenFile")


@dataclass(frozen=True)
class Impersonation:
    """`--as`: act as another user, if the server lets us. `extra`: pairs of name and value, a name may come again."""

    user: str = ""
    groups: tuple[str, ...] = ()
    uid: str = ""
    extra: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class ClusterConfig:
    """Everything a client needs to reach one server as one user. `ca` is PEM; None means the system's roots."""

    server: str
    credentials: Credentials = field(default_factory=StaticCredentials)
    namespace: str = "default"
    ca: bytes | None = None
    insecure_skip_tls_verify: bool = False
    tls_server_name: str | None = None
    proxy_url: str | None = None
    impersonation: Impersonation = Impersonation()
    context: str = ""


def load(
    path: Path | str | None = None,
    *,
    context: str | None = None,
    namespace: str | None = None,
    as_user: str | None = None,
    as_groups: Sequence[str] = (),
    environ: Mapping[str, str] = os.environ,
    service_account: Path = _SERVICE_ACCOUNT,
) -> ClusterConfig:
    """Resolves the configuration; raises UsageError with the file and member that is wrong."""
    files = _files(path, environ)
    who = Impersonation(as_user or "", tuple(as_groups))
    if not files:
        if context:
            raise UsageError(f"no kubeconfig, so no context {context!r}; --kubeconfig or KUBECONFIG names one")
        if (token := service_account / "token").exists() and environ.get("KUBERNETES_SERVICE_HOST"):
            return _through_proxy(_in_cluster(token, namespace, who, environ), environ)
        raise UsageError("no Kubernetes configuration: give --kubeconfig, set KUBECONFIG or write ~/.kube/config")
    merged = _merge([_read(file) for file in files])
    return _through_proxy(_resolve(merged, context, namespace, who), environ)


def from_mapping(
    config: Mapping[str, Any], *, context: str | None = None, namespace: str | None = None
) -> ClusterConfig:
    """One kubeconfig that is already parsed; no file and no environment is asked."""
    return _resolve(_merge([config]), context, namespace, Impersonation())


def _through_proxy(config: ClusterConfig, environ: Mapping[str, str]) -> ClusterConfig:
    return replace(config, proxy_url=config.proxy_url or environment_proxy(config.server, environ))


def _files(path: Path | str | None, environ: Mapping[str, str]) -> list[Path]:
    if path is not None:
        if not Path(path).exists():
            raise UsageError(f"kubeconfig {path} does not exist")
        return [Path(path)]
    if listed := environ.get("KUBECONFIG"):
        files = [Path(part) for part in listed.split(os.pathsep) if part]
    else:
        files = [Path(environ.get("HOME", "~")).expanduser() / ".kube" / "config"]
    return [file for file in dict.fromkeys(files) if file.exists()]


def _read(file: Path) -> dict[str, Any]:
    import yaml  # 10 ms that a client in a Pod never needs

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        config = yaml.load(file.read_bytes(), Loader=loader) or {}
    except yaml.YAMLError as error:
        place = getattr(error, "problem_mark", None)
        where = f":{place.line + 1}:{place.column + 1}" if place else ""
        raise UsageError(f"kubeconfig {file}{where} is not YAML") from None
    except OSError as error:
        raise UsageError(f"cannot read kubeconfig {file}: {error.strerror}") from None
    if not isinstance(config, dict):
        raise UsageError(f"kubeconfig {file} is not a mapping")
    for section, member in (("clusters", "cluster"), ("users", "user")):
        for entry in config.get(section) or ():
            _root_paths(entry.get(member) or {}, file.parent)
    return config


def _root_paths(entry: dict[str, Any], directory: Path) -> None:
    """Relative paths belong to the file that names them; so does a plug-in's command that has a slash."""
    for name in _PATH_FIELDS:
        if entry.get(name):
            entry[name] = str(directory / entry[name])
    plugin = entry.get("exec")
    if plugin and "/" in str(plugin.get("command", "")):
        plugin["command"] = str(directory / plugin["command"])


def _merge(configs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    merged: dict[str, Any] = {"clusters": {}, "users": {}, "contexts": {}, "current-context": ""}
    for config in configs:
        merged["current-context"] = merged["current-context"] or config.get("current-context") or ""
        for section, member in (("clusters", "cluster"), ("users", "user"), ("contexts", "context")):
            for entry in config.get(section) or ():
                merged[section].setdefault(entry.get("name", ""), entry.get(member) or {})
    return merged


def _resolve(
    merged: Mapping[str, Any], context: str | None, namespace: str | None, who: Impersonation
) -> ClusterConfig:
    name = context or merged["current-context"]
    if not name and not context:
        raise UsageError("kubeconfig has no current-context; `kubectl config use-context NAME` sets one")
    chosen = _named(merged, "contexts", name, "context")
    cluster = _named(merged, "clusters", chosen.get("cluster", ""), f"cluster of context {name!r}")
    user = _named(merged, "users", chosen["user"], f"user of context {name!r}") if chosen.get("user") else {}
    if not cluster.get("server"):
        raise UsageError(f"kubeconfig: cluster {chosen.get('cluster')!r} has no server")
    proxy_url = cluster.get("proxy-url")
    insecure = bool(cluster.get("insecure-skip-tls-verify"))
    ca = _bytes_of(cluster, "certificate-authority")
    if insecure and ca is not None:
        raise UsageError("kubeconfig: certificate-authority and insecure-skip-tls-verify exclude each other")
    if insecure:
        _log.warning("the certificate of the Kubernetes server is not verified (insecure-skip-tls-verify)")
    return ClusterConfig(
        server=str(cluster["server"]).rstrip("/"),
        credentials=_credentials(user, cluster),
        namespace=namespace or chosen.get("namespace") or "default",
        ca=ca,
        insecure_skip_tls_verify=insecure,
        tls_server_name=cluster.get("tls-server-name") or None,
        proxy_url=checked_proxy(str(proxy_url), "kubeconfig: proxy-url") if proxy_url else None,
        impersonation=_impersonation(user, who),
        context=name,
    )


def _named(merged: Mapping[str, Any], section: str, name: str, what: str) -> dict[str, Any]:
    try:
        found: dict[str, Any] = merged[section][name]
    except KeyError:
        known = ", ".join(map(repr, merged[section])) or "none"
        raise UsageError(f"kubeconfig: {what} {name!r} does not exist; the {section} there are: {known}") from None
    return found


def _impersonation(user: Mapping[str, Any], who: Impersonation) -> Impersonation:
    """What is asked for goes before what the file says, each member for itself."""
    extra = tuple((name, value) for name, values in (user.get("as-user-extra") or {}).items() for value in values)
    groups = who.groups or tuple(user.get("as-groups") or ())
    return _of_a_user(Impersonation(who.user or user.get("as", ""), groups, user.get("as-uid", ""), extra))


def _of_a_user(who: Impersonation) -> Impersonation:
    if not who.user and (who.groups or who.uid or who.extra):
        raise UsageError("groups, uid or extra to act with need a user to act as: --as, or `as` of the kubeconfig")
    return who


def _credentials(user: Mapping[str, Any], cluster: Mapping[str, Any]) -> Credentials:
    if user.get("auth-provider"):
        provider = (user["auth-provider"] or {}).get("name", "")
        raise UsageError(f"kubeconfig: auth-provider {provider!r} is no longer supported; use an exec plug-in")
    certificate = _client_certificate(user)
    if user.get("tokenFile"):
        return TokenFile(Path(user["tokenFile"]), user.get("token", ""), certificate)
    if user.get("token") or user.get("username") or certificate or not user.get("exec"):
        return StaticCredentials(user.get("token", ""), user.get("username", ""), user.get("password", ""), certificate)
    return _exec_plugin(user["exec"], cluster)


def _client_certificate(user: Mapping[str, Any]) -> ClientCertificate | None:
    certificate, key = _bytes_of(user, "client-certificate"), _bytes_of(user, "client-key")
    if certificate is None and key is None:
        return None
    if certificate is None or key is None:
        raise UsageError("kubeconfig: client-certificate and client-key come together")
    return ClientCertificate(certificate, key)


def _exec_plugin(plugin: Mapping[str, Any], cluster: Mapping[str, Any]) -> ExecPlugin:
    if not plugin.get("command"):
        raise UsageError("kubeconfig: exec has no command")
    if plugin.get("interactiveMode") == "Always":
        raise UsageError(f"exec plug-in {plugin['command']} wants a terminal (interactiveMode: Always)")
    shown = dict(cluster) if plugin.get("provideClusterInfo") else None
    if (
        shown is not None
        and (path := shown.pop("certificate-authority", None))
        and not cluster.get("certificate-authority-data")
    ):
        shown["certificate-authority-data"] = base64.b64encode(Path(path).read_bytes()).decode()
    return ExecPlugin(
        plugin["command"],
        tuple(map(str, plugin.get("args") or ())),
        {entry["name"]: str(entry["value"]) for entry in plugin.get("env") or ()},
        plugin.get("apiVersion", ""),
        shown,
        str(plugin.get("installHint") or "").strip(),
    )


def _bytes_of(entry: Mapping[str, Any], name: str) -> bytes | None:
    """The content of `name-data`, else of the file `name`."""
    if data := entry.get(f"{name}-data"):
        try:
            return base64.b64decode(data, validate=False)
        except (binascii.Error, ValueError):
            raise UsageError(f"kubeconfig: {name}-data is not base64") from None
    if not entry.get(name):
        return None
    try:
        return Path(entry[name]).read_bytes()
    except OSError as error:
        raise UsageError(f"kubeconfig: {name} {entry[name]}: {error.strerror}") from None


def _in_cluster(token: Path, namespace: str | None, who: Impersonation, environ: Mapping[str, str]) -> ClusterConfig:
    host, port = environ["KUBERNETES_SERVICE_HOST"], environ.get("KUBERNETES_SERVICE_PORT", "443")
    own_namespace = token.parent / "namespace"
    found = own_namespace.read_text().strip() if own_namespace.exists() else "default"
    authority = f"[{host}]" if ":" in host else host
    return ClusterConfig(
        server=f"https://{authority}:{port}",
        credentials=TokenFile(token),
        namespace=namespace or found,
        ca=(token.parent / "ca.crt").read_bytes(),
        impersonation=_of_a_user(who),
        context="in-cluster",
    )
