"""Ports of a Pod's containers that meet: one number twice, one name twice. Source: API reference, ContainerPort."""

from collections.abc import Iterator, Sequence
from typing import Any


def of_containers(containers: Sequence[tuple[Any, str]]) -> Iterator[str]:
    """`containers` come with their paths, in the order in which they start."""
    found = [
        (port, f"{where}.ports[{index}]")
        for one, where in containers
        for index, port in enumerate(one.get("ports") or ())
    ]
    if found:
        yield from _numbers(found)
        yield from _names(found)


def _numbers(found: Sequence[tuple[Any, str]]) -> Iterator[str]:
    taken: dict[tuple[int, str], list[tuple[Any, str]]] = {}
    for port, at in found:
        if port.get("hostIP") and not port.get("hostPort"):
            yield f"{at}: hostIP set without hostPort: {_struct(port)}"
        others = taken.setdefault((port.get("containerPort", 0), port.get("protocol", "")), [])
        for other, there in others:
            if how := _meeting(port, other):
                yield f"{at}: {how} port definition with {there}"
        others.append((port, at))


def _meeting(port: Any, other: Any) -> str:
    """What two definitions of one number and protocol are to each other; "" when they do no harm."""
    mine, theirs = port.get("hostPort") or 0, other.get("hostPort") or 0
    address, its = port.get("hostIP") or "", other.get("hostIP") or ""
    if (mine, address) == (theirs, its):
        return "duplicate"
    if not mine or not theirs:
        return "overlapping"
    return "dangerously ambiguous" if mine == theirs and (not address or not its) else ""


def _names(found: Sequence[tuple[Any, str]]) -> Iterator[str]:
    first: dict[str, str] = {}
    for port, at in found:
        name = port.get("name")
        if not name:
            continue
        there = first.setdefault(name, at)
        if there != at:
            yield (
                f'{at}: duplicate port name "{name}" with {there}, services and probes that select ports by name '
                f"will use {there}"
            )


def _struct(port: Any) -> str:
    """As Go prints the struct."""
    members = {
        "Name": port.get("name") or "",
        "HostPort": port.get("hostPort") or 0,
        "ContainerPort": port.get("containerPort") or 0,
        "Protocol": port.get("protocol") or "",
        "HostIP": port.get("hostIP") or "",
    }
    return "{" + " ".join(f"{name}:{value}" for name, value in members.items()) + "}"
