"""How much a backtracking matcher may have to do for a pattern.

The reader of patterns builds the position automaton (Glushkov): one state per character set, an edge wherever one may
follow another, and for each edge in how many ways. From it:

* **exponential**: within a loop some text can be read in two ways: an edge of the loop exists twice (`(a+)+`), or two
  different runs through the loop read the same text (`(a|a)*`, `(a|b|ab)*`);
* **nested**: a loop in a loop, or two loops one after the other over common characters (`a*a*`): polynomial.

Repetitions with different bounds count as loops and exact ones only around loops. That errs on the careful side.
"""

from collections import Counter
from typing import Final

from lambent.cel.library.pattern_sets import Ranges, overlap

MAX_STATES: Final = 160
"""Automata above this are not searched for two runs, which takes time with the square of the states."""


class Fragment:
    """A part of a pattern: whether it matches nothing, where it begins and ends, whether it loops."""

    __slots__ = ("first", "last", "loops", "nullable")

    def __init__(self, nullable: bool, first: frozenset[int], last: frozenset[int], loops: bool = False) -> None:
        self.nullable: Final = nullable
        self.first: Final = first
        self.last: Final = last
        self.loops: Final = loops


EMPTY: Final = Fragment(True, frozenset(), frozenset())


class Automaton:
    """The position automaton of a pattern while it is read."""

    def __init__(self) -> None:
        self.sets: list[Ranges] = []
        self.edges: Counter[tuple[int, int]] = Counter()
        self.nested_loops = False

    def position(self, ranges: Ranges) -> Fragment:
        """A new state for one character of a set."""
        self.sets.append(ranges)
        state = frozenset((len(self.sets) - 1,))
        return Fragment(False, state, state)

    def sequence(self, a: Fragment, b: Fragment) -> Fragment:
        """`ab`."""
        self._connect(a.last, b.first)
        first = a.first | b.first if a.nullable else a.first
        last = a.last | b.last if b.nullable else b.last
        return Fragment(a.nullable and b.nullable, first, last, a.loops or b.loops)

    def choice(self, a: Fragment, b: Fragment) -> Fragment:
        """`a|b`."""
        return Fragment(a.nullable or b.nullable, a.first | b.first, a.last | b.last, a.loops or b.loops)

    def repeat(self, body: Fragment, least: int, most: int | None) -> Fragment:
        """`a{least,most}`."""
        loops = most is None or (most > 1 and (most != least or body.loops))
        if loops:
            self.nested_loops = self.nested_loops or body.loops
            self._connect(body.last, body.first)
        return Fragment(body.nullable or least == 0, body.first, body.last, body.loops or loops)

    def _connect(self, sources: frozenset[int], targets: frozenset[int]) -> None:
        for source in sources:
            for target in targets:
                self.edges[source, target] += 1

    def successors(self) -> list[list[int]]:
        """The states that may follow each state."""
        found: list[list[int]] = [[] for _ in self.sets]
        for source, target in self.edges:
            found[source].append(target)
        return found


def is_exponential(automaton: Automaton) -> bool:
    """Whether matching may take time exponential in the length of the text."""
    if len(automaton.sets) > MAX_STATES:
        return automaton.nested_loops
    following = automaton.successors()
    loop = _components(following)
    if any(count > 1 and loop[a] == loop[b] >= 0 for (a, b), count in automaton.edges.items()):
        return True
    return _has_two_runs(automaton.sets, following, loop)


def is_nested(automaton: Automaton) -> bool:
    """Whether loops are nested, or follow each other over common characters."""
    if automaton.nested_loops:
        return True
    if len(automaton.sets) > MAX_STATES:
        return sum(source == target for source, target in automaton.edges) > 1
    following = automaton.successors()
    loop = _components(following)
    reach = _reachable(following)
    looping = [state for state in range(len(following)) if loop[state] >= 0]
    sets = automaton.sets
    return any(b in reach[a] and loop[a] != loop[b] and overlap(sets[a], sets[b]) for a in looping for b in looping)


def _reachable(following: list[list[int]]) -> list[set[int]]:
    """The states reachable from each state by at least one step."""
    found: list[set[int]] = []
    for start in range(len(following)):
        seen: set[int] = set()
        waiting = list(following[start])
        while waiting:
            state = waiting.pop()
            if state not in seen:
                seen.add(state)
                waiting.extend(following[state])
        found.append(seen)
    return found


def _components(following: list[list[int]]) -> list[int]:
    """For each state the number of the loop it is in, -1 for none."""
    reach = _reachable(following)
    loop = [-1] * len(following)
    for state in range(len(following)):
        if loop[state] < 0 and state in reach[state]:
            for other in reach[state]:
                if state in reach[other]:
                    loop[other] = state
    return loop


def _has_two_runs(sets: list[Ranges], following: list[list[int]], loop: list[int]) -> bool:
    """Whether two different runs from a state back to it read the same text.

    Pairs of states are explored as if two runs went side by side: a pair of different states that both runs can get
    to from one state, and from which they can meet again, is the proof. All within one loop, so that what is met
    again leads back to the start.
    """
    forward: dict[tuple[int, int], set[tuple[int, int]]] = {}
    waiting = [(state, state) for state in range(len(following)) if loop[state] >= 0]
    while waiting:
        pair = waiting.pop()
        if pair in forward:
            continue
        forward[pair] = {
            (min(a, b), max(a, b))
            for a in following[pair[0]]
            for b in following[pair[1]]
            if loop[a] == loop[b] == loop[pair[0]] and overlap(sets[a], sets[b])
        }
        waiting.extend(forward[pair])
    # Every pair was reached from equal states, so the last step before meeting again is enough.
    return any(a != b and any(c == d for c, d in after) for (a, b), after in forward.items())
