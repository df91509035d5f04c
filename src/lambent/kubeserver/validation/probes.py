"""Probes of containers and hooks of their lives. Source: Kubernetes API reference, Probe, Lifecycle."""

from collections.abc import Iterator
from typing import Any

from lambent.kube.schema import Problem
from lambent.kubeserver.validation import names
from lambent.kubeserver.validation.errors import forbidden, invalid, required, texts
from lambent.kubeserver.validation.rules import Members, members, needed, not_negative, one_of, port, positive

PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
_NUMBERS: Members = {
    "initialDelaySeconds": not_negative,
    "timeoutSeconds": not_negative,
    "periodSeconds": not_negative,
    "successThreshold": not_negative,
    "failureThreshold": not_negative,
    "terminationGracePeriodSeconds": positive(),
}


def probes(one: Any, at: str) -> Iterator[Problem]:
    for name in PROBES:
        if one.get(name) is not None:
            yield from _probe(one[name], f"{at}.{name}", is_readiness=name == "readinessProbe")


def _probe(probe: Any, at: str, *, is_readiness: bool) -> Iterator[Problem]:
    yield from _handler(probe, ("exec", "httpGet", "tcpSocket", "grpc"), at)
    yield from members(probe, at, _NUMBERS)
    grace, least = probe.get("terminationGracePeriodSeconds"), probe.get("successThreshold", 0)
    if not is_readiness and least != 1:
        yield invalid(f"{at}.successThreshold", least, "must be 1")
    if is_readiness and grace is not None:
        yield invalid(f"{at}.terminationGracePeriodSeconds", grace, "must not be set for readinessProbes")


def lifecycle(hooks: Any, spec: Any, at: str) -> Iterator[Problem]:
    """`spec` is the Pod's: its grace period bounds a sleep."""
    for name in ("postStart", "preStop"):
        if (hook := (hooks or {}).get(name)) is not None:
            yield from _handler(hook, ("exec", "httpGet", "tcpSocket", "sleep"), f"{at}.{name}")
            if all(hook.get(kind) is None for kind in _HANDLERS):
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
    yield from members(found[given[0]], f"{at}.{given[0]}", _HANDLERS.get(given[0], {}))
    for kind in given[1:]:
        yield forbidden(f"{at}.{kind}", "may not specify more than 1 handler type")


def _headers(found: Any, at: str) -> Iterator[Problem]:
    for header in found or ():
        yield from texts(at, header.get("name", ""), names.header_name(header.get("name", "")))


_HANDLERS: dict[str, Members] = {
    "exec": {"command": needed()},
    "httpGet": {"path": needed(), "port": port, "scheme": one_of("HTTP", "HTTPS"), "httpHeaders": _headers},
    "tcpSocket": {"port": port},
    "grpc": {"port": port},
}
