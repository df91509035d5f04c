"""Probes of containers and hooks of their lives. Source: Kubernetes API reference, Probe, Lifecycle."""

from collections.abc import Callable, Iterator
from typing import Any

from lambent.kube.schema import Problem
from lambent.kubeserver.validation import names
from lambent.kubeserver.validation.errors import (
    forbidden,
    invalid,
    not_negative,
    positive,
    required,
    texts,
    unsupported,
)

PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
_NUMBERS = ("initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold")


def probes(one: Any, at: str) -> Iterator[Problem]:
    for name in PROBES:
        if one.get(name) is not None:
            yield from _probe(one[name], f"{at}.{name}", is_readiness=name == "readinessProbe")


def _probe(probe: Any, at: str, *, is_readiness: bool) -> Iterator[Problem]:
    yield from _handler(probe, ("exec", "httpGet", "tcpSocket", "grpc"), at)
    for member in _NUMBERS:
        yield from not_negative(f"{at}.{member}", probe.get(member))
    grace = probe.get("terminationGracePeriodSeconds")
    yield from positive(f"{at}.terminationGracePeriodSeconds", grace)
    if not is_readiness and probe.get("successThreshold", 0) != 1:
        yield invalid(f"{at}.successThreshold", probe.get("successThreshold", 0), "must be 1")
    if is_readiness and grace is not None:
        yield invalid(f"{at}.terminationGracePeriodSeconds", grace, "must not be set for readinessProbes")


def lifecycle(hooks: Any, spec: Any, at: str) -> Iterator[Problem]:
    """`spec` is the Pod's: its grace period bounds a sleep."""
    if hooks is None:
        return
    for name in ("postStart", "preStop"):
        if (hook := hooks.get(name)) is not None:
            yield from _handler(hook, ("exec", "httpGet", "tcpSocket", "sleep"), f"{at}.{name}")
            if next((kind for kind in _HANDLERS if hook.get(kind) is not None), "sleep") == "sleep":
                yield from _sleep(hook.get("sleep"), spec, f"{at}.{name}.sleep")


def _sleep(sleep: Any, spec: Any, at: str) -> Iterator[Problem]:
    grace = spec.get("terminationGracePeriodSeconds")
    if sleep is None or grace is None:
        return
    seconds = sleep.get("seconds", 0)
    if not 0 <= seconds <= grace:
        yield invalid(at, seconds, f"must be non-negative and less than terminationGracePeriodSeconds ({grace})")


def _handler(found: Any, kinds: tuple[str, ...], at: str) -> Iterator[Problem]:
    given = [kind for kind in kinds if found.get(kind) is not None]
    if not given:
        yield required(at, "must specify a handler type")
        return
    if (judge := _HANDLERS.get(given[0])) is not None:
        yield from judge(found[given[0]], f"{at}.{given[0]}")
    for kind in given[1:]:
        yield forbidden(f"{at}.{kind}", "may not specify more than 1 handler type")


def _exec(action: Any, at: str) -> Iterator[Problem]:
    if not action.get("command"):
        yield required(f"{at}.command")


def _http(action: Any, at: str) -> Iterator[Problem]:
    if not action.get("path"):
        yield required(f"{at}.path")
    yield from _port(action, at)
    if action.get("scheme", "") not in ("HTTP", "HTTPS"):
        yield unsupported(f"{at}.scheme", action.get("scheme", ""), ["HTTP", "HTTPS"])
    for header in action.get("httpHeaders") or ():
        name = header.get("name", "")
        yield from texts(f"{at}.httpHeaders", name, names.header_name(name))


def _port(action: Any, at: str) -> Iterator[Problem]:
    yield from port_number_or_name(action.get("port", 0), f"{at}.port")


def port_number_or_name(port: int | str, at: str) -> Iterator[Problem]:
    found = names.port_name(port) if isinstance(port, str) else names.port_number(port)
    yield from texts(at, port, found)


_HANDLERS: dict[str, Callable[[Any, str], Iterator[Problem]]] = {
    "exec": _exec,
    "httpGet": _http,
    "tcpSocket": _port,
    "grpc": _port,
}
