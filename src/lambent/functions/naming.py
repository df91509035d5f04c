"""Objects of functions by what they say they are, from the informer's cache.

A function made through the facade has an object whose name follows from its ARN, and one applied with kubectl mostly
bears the function's own name: both are found by a read of one object. Any other name is looked up here, so that asking
for a function that is not there lists no objects. Not here: reading (`store`), serving (`directory`).
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from lambent.aws.arn import FunctionId
from lambent.kube.informer import Informer
from lambent.kube.types import KubeObject

_INDEX = "function"


@dataclass(slots=True)
class ChosenNames:
    """Knows nothing until it follows an informer of LambdaFunctions."""

    _informer: Informer | None = None

    @contextmanager
    def following(self, informer: Informer, id_of: Callable[[KubeObject], FunctionId]) -> Iterator[None]:
        """Answers from the informer, which is synced, while the block runs."""
        informer.add_index(_INDEX, lambda obj: (id_of(obj).arn,))
        self._informer = informer
        try:
            yield
        finally:
            self._informer = None

    def of(self, function: FunctionId) -> list[str] | None:
        """Names of the objects that were this function when they were last seen; None when nobody looks."""
        if self._informer is None:
            return None
        found = self._informer.by_index(_INDEX, function.arn)
        return sorted(obj["metadata"]["name"] for obj in found if "deletionTimestamp" not in obj["metadata"])
