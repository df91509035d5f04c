"""Settings: nested frozen dataclasses, read from flags, the environment and a file.

`a.b` in the file is `LAMBENT_A_B` in the environment and `--a-b` on the command line; an option may name an older
variable that stays valid (`AWS_REGION`). Flag beats environment beats file beats default; an empty variable counts
as unset. A value that cannot be read ends the process with a message that names where it stood: never a silent
default. Flags, the environment names and the reference page are generated from the fields of these classes.
"""

import os
import typing
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args, get_origin

from lambent.errors import UsageError

S = TypeVar("S")


def _option(default: Any, doc: str, *, unit: str = "", env: str = "") -> Any:
    return field(default=default, metadata={"doc": doc, "unit": unit, "env": env})


@dataclass(frozen=True, slots=True)
class AwsPort:
    """The AWS endpoint."""

    port: int = _option(4566, "port of the AWS endpoint on loopback; 0 takes a free one")
    listen: str = _option("127.0.0.1", "address it binds; signatures are read and not checked, so keep it on loopback")


@dataclass(frozen=True, slots=True)
class KubePort:
    """The embedded Kubernetes API."""

    port: int = _option(6444, "port of the embedded Kubernetes API; 0 takes a free one")
    listen: str = _option("127.0.0.1", "address it binds")


@dataclass(frozen=True, slots=True)
class Admin:
    """Health and metrics of every process but `up` and the demo."""

    port: int = _option(9090, "port of /healthz, /readyz and /metrics; 0 takes a free one")


@dataclass(frozen=True, slots=True)
class Execution:
    """How functions run."""

    backend: Literal["process"] = _option("process", "execution back end; pods and oci come later")
    max_concurrency: int = _option(
        10, "most runtimes of one function at a time; more calls wait in line", env="MAX_CONCURRENCY"
    )
    idle_timeout: float = _option(1800.0, "an idle runtime is stopped after this", unit="s")


@dataclass(frozen=True, slots=True)
class Functions:
    """The Lambda service."""

    namespace: str = _option("default", "namespace that holds the LambdaFunction objects")


@dataclass(frozen=True, slots=True)
class Controllers:
    """The controllers of workflows and AWS resources."""

    leader_election: bool = _option(True, "elect one writer by Lease; `up` needs none, its state directory is locked")
    namespace: str = _option("lambent-system", "namespace of the Leases")
    lease: int = _option(
        15,
        "a controller that died is replaced after this; one that cannot renew stops after two thirds of it",
        unit="s",
    )
    shards: int = _option(
        1, "Leases among which the objects are divided, so that several replicas work at once; the same for all"
    )
    takeover: str = _option("", "API groups to serve although their CRDs are ACK's or Koreo's, with commas between")
    resync: float = _option(600.0, "AWS resources are looked at again after this", unit="s")


@dataclass(frozen=True, slots=True)
class Cluster:
    """Which cluster, and as whom; what is empty is as kubectl finds it."""

    kubeconfig: str = ""
    context: str = ""
    as_user: str = ""
    as_groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Settings:
    """All of them, with their defaults."""

    state: Path = field(
        default=Path(".lambent"),
        metadata={"doc": "directory of everything that is kept", "unit": "", "env": ""},
    )
    ephemeral: bool = _option(False, "keep nothing: a temporary directory and free ports")
    kubeconfig: str = _option("", "kubeconfig of the cluster to work on (server, controller)", env="KUBECONFIG")
    context: str = _option("", "context of the kubeconfig (default: its current one)")
    as_: str = _option("", "user to act as, if the cluster lets us")
    as_group: tuple[str, ...] = _option(
        (), "group to act as; may come again (elsewhere: a list, or with commas between)"
    )
    aws_endpoint: str = _option("", "AWS endpoint the controllers speak to; empty is real AWS (controller)")
    account_id: str = _option("123456789012", "account of resources and ARNs")
    region: str = _option("us-east-1", "region of resources and ARNs", env="AWS_REGION")
    queue_wait: float = _option(30.0, "how long an invocation may wait for a runtime", unit="s")
    drain_timeout: float = _option(20.0, "how long a stop waits for work in flight", unit="s")
    log_level: str = _option("INFO", "debug, info, warning or error", env="LOG_LEVEL")
    aws: AwsPort = field(default_factory=AwsPort)
    kube: KubePort = field(default_factory=KubePort)
    admin: Admin = field(default_factory=Admin)
    execution: Execution = field(default_factory=Execution)
    functions: Functions = field(default_factory=Functions)
    controllers: Controllers = field(default_factory=Controllers)

    @property
    def cluster(self) -> Cluster:
        return Cluster(self.kubeconfig, self.context, self.as_, self.as_group)


@dataclass(frozen=True, slots=True)
class Option:
    """One leaf of the settings: its path ("aws.port"), type, default and texts."""

    path: str
    type: Any
    default: Any
    doc: str
    unit: str
    alias: str

    @property
    def flag(self) -> str:
        return "--" + self.path.replace(".", "-").replace("_", "-")

    @property
    def variable(self) -> str:
        return "LAMBENT_" + self.path.replace(".", "_").upper()


def options(cls: type[Any] = Settings, prefix: str = "") -> Iterator[Option]:
    """Every option, in the order of the classes."""
    hints = typing.get_type_hints(cls)
    for item in fields(cls):
        path = _path(prefix, item.name)
        if is_dataclass(hints[item.name]):
            yield from options(hints[item.name], f"{path}.")
            continue
        meta = item.metadata
        default = None if item.default is MISSING else item.default
        yield Option(path, hints[item.name], default, meta["doc"], meta["unit"], meta["env"])


def _path(prefix: str, name: str) -> str:
    """A word of Python's has an underscore behind it as a field."""
    return f"{prefix}{name.rstrip('_')}"


def load(
    *, flags: Mapping[str, Any] | None = None, environ: Mapping[str, str] | None = None, file: Path | None = None
) -> Settings:
    """Settings of this process. `flags` maps option paths to texts (None: not given); raises `UsageError`."""
    env = os.environ if environ is None else environ
    from_file = _flatten(_read_file(file)) if file else {}
    known = {option.path: option for option in options()}
    unknown = sorted(set(from_file) - set(known))
    if unknown:
        raise UsageError(f"{file}: unknown setting {unknown[0]!r}; docs/reference/settings.md lists them")
    values = {path: _choose(option, flags or {}, env, from_file, file) for path, option in known.items()}
    return _build(Settings, values, "")


def _choose(
    option: Option, flags: Mapping[str, Any], env: Mapping[str, str], from_file: Mapping[str, Any], file: Path | None
) -> Any:
    candidates = [
        (option.flag, flags.get(option.path)),
        (option.variable, env.get(option.variable) or None),
        (option.alias, env.get(option.alias) or None if option.alias else None),
        (f"{file}: {option.path}", from_file.get(option.path)),
    ]
    for source, value in candidates:
        if value is not None:
            return _convert(option.type, value, source)
    return option.default


def _convert(kind: Any, value: Any, source: str) -> Any:
    if get_origin(kind) is Literal:
        if str(value) not in get_args(kind):
            raise UsageError(f"{source}: {value!r} is not one of {', '.join(get_args(kind))}")
        return str(value)
    if kind is bool:
        return _to_bool(value, source)
    if get_origin(kind) is tuple:
        words = value if isinstance(value, list) else str(value).split(",")
        return tuple(word for each in words if (word := str(each).strip()))
    try:
        return kind(value)
    except (TypeError, ValueError) as error:
        raise UsageError(f"{source}: {value!r} is not {_ARTICLE.get(kind, kind.__name__)}") from error


_ARTICLE: dict[Any, str] = {int: "a whole number", float: "a number of seconds"}
_BOOLEANS = {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False}


def _to_bool(value: Any, source: str) -> bool:
    answer = _BOOLEANS.get(str(value).lower())
    if answer is None:
        raise UsageError(f"{source}: {value!r} is neither true nor false")
    return answer


def _read_file(file: Path) -> dict[str, Any]:
    import yaml  # 10 ms of every start, and few give a file

    try:
        data = yaml.safe_load(file.read_text())
    except OSError as error:
        raise UsageError(f"{file}: cannot be read: {error.strerror}") from error
    except yaml.YAMLError as error:
        raise UsageError(f"{file}: is not YAML: {str(error).splitlines()[0]}") from error
    if data is None:
        return {}
    if not isinstance(data, dict):
        raise UsageError(f"{file}: must be a mapping of settings")
    return data


def _flatten(tree: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in tree.items():
        path = f"{prefix}{key}"
        flat.update(_flatten(value, f"{path}.") if isinstance(value, dict) else {path: value})
    return flat


def _build(cls: type[S], values: Mapping[str, Any], prefix: str) -> S:
    hints = typing.get_type_hints(cls)
    made = {
        item.name: _build(hints[item.name], values, f"{prefix}{item.name}.")
        if is_dataclass(hints[item.name])
        else values[_path(prefix, item.name)]
        for item in fields(cls)  # type: ignore[arg-type]  # S is a dataclass by construction
    }
    return cls(**made)
