"""Ports of a Pod's containers that meet: one number twice, one name twice. Source: API reference, ContainerPort."""

from collections.abc import Iterator, Sequence
from itertools import chain
from operator import itemgetter
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
    # Of one number and protocol: those of each host port, as only they and those without can meet.
    taken: dict[tuple[int, str], dict[int, list[tuple[int, Any, str]]]] = {}
    for index, (port, at) in enumerate(found):
        if port.get("hostIP") and not port.get("hostPort"):
            yield f"{at}: hostIP set without hostPort: {_struct(port)}"
        others, mine = taken.setdefault((port.get("containerPort", 0), port.get("protocol", "")), {}), _on_host(port)
        near = chain(others.get(mine, ()), others.get(0, ())) if mine else chain.from_iterable(others.values())
        for _, other, there in sorted(near, key=itemgetter(0)) if others else ():
            if how := _meeting(port, other):
                yield f"{at}: {how} port definition with {there}"
        others.setdefault(mine, []).append((index, port, at))


def _on_host(port: Any) -> int:
    number: int = port.get("hostPort") or 0
    return number


def _meeting(port: Any, other: Any) -> str:
    """What two definitions of one number and protocol are to each other; "" when they do no harm."""
    mine, theirs = _on_host(port), _on_host(other)
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
