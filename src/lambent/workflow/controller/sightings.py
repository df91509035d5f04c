"""How much of each object this process has seen, so that no cache takes it back to an earlier state.

A cache follows the server at a distance. What an answer of the server showed, to a read or to our own write, is noted
here as the revision that a cached copy must have reached; one that is older does not count, and the server is asked.
After a deletion, or a write whose answer was lost, no cached copy counts until the server has shown the object again.
That a cache has no object counts only after the server itself had none, and until something else was seen.
"""

from lambent.kube.cache import is_older
from lambent.kube.types import KubeObject
from lambent.workflow.engine.references import Place

# Newer than any revision.
_UNKNOWN = "unknown"


class Sightings:
    """Objects by their place. An entry lives until a cache has caught up, or nobody asks for the object any more."""

    def __init__(self) -> None:
        self._seen: dict[Place, str] = {}
        self._absent: set[Place] = set()

    def saw(self, place: Place, obj: KubeObject) -> None:
        """An answer of the server; those to requests at once come in any order."""
        self._absent.discard(place)
        seen = self._seen.get(place, _UNKNOWN)
        if seen == _UNKNOWN or not is_older(obj, seen):
            self._seen[place] = obj["metadata"].get("resourceVersion", _UNKNOWN)

    def doubt(self, place: Place) -> None:
        """A write whose result is not known."""
        self._absent.discard(place)
        self._seen[place] = _UNKNOWN

    def missed(self, place: Place) -> None:
        """The server has no such object."""
        self._absent.add(place)

    def admits_absence(self, place: Place) -> bool:
        """Whether a cache without the object is to be believed."""
        return place in self._absent

    def admits(self, place: Place, cached: KubeObject) -> bool:
        """Whether a copy of a cache is no older than what was seen."""
        if is_older(cached, self._seen.get(place, "")):
            return False
        self._seen.pop(place, None)
        self._absent.discard(place)
        return True

    def forget(self, place: Place) -> None:
        self._absent.discard(place)
        self._seen.pop(place, None)
