"""Paths inside volumes: relative ones that stay below their root. Source: Kubernetes API reference, KeyToPath."""

from collections.abc import Iterator

from lambent.kube.schema import Problem
from lambent.kubeserver.validation.errors import invalid


def descending(path: str | None, at: str) -> Iterator[Problem]:
    """A relative path that does not leave its root."""
    if path and path.startswith("/"):
        yield invalid(at, path, "must be a relative path")
    yield from no_backsteps(path, at)


def no_backsteps(path: str | None, at: str) -> Iterator[Problem]:
    if path and ".." in path.split("/"):
        yield invalid(at, path, "must not contain '..'")


def unreserved(path: str | None, at: str) -> Iterator[Problem]:
    """Names that begin with two dots are kubelet's own."""
    yield from descending(path, at)
    if path and path.startswith("..") and not path.startswith("../"):
        yield invalid(at, path, "must not start with '..'")
