"""The work queue against a model that is too simple to be wrong: random sequences of every call, in any order."""

import math
import os
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lambent.kube.queue_state import PASSED_OVER, Phase, QueueState
from lambent.kube.types import Key

# 10 000 in the nightly run.
SEQUENCES = int(os.environ.get("LAMBENT_SEQUENCES", "300"))
KEYS = [Key(namespace, name) for namespace in ("n1", "n2") for name in ("a", "b")]
DELAYS = st.integers(0, 5)
PRIORITY = st.integers(0, 1)


@dataclass
class Model:
    """Per key one of the five states of the table; ready keys in order of arrival; namespaces in order of service."""

    now: float = 0.0
    waiting: dict[Key, tuple[float, int]] = field(default_factory=dict)
    ready: list[tuple[int, Key]] = field(default_factory=list)
    running: dict[Key, int] = field(default_factory=dict)
    again: dict[Key, tuple[float, int]] = field(default_factory=dict)
    turns: dict[int, list[str]] = field(default_factory=lambda: {0: [], 1: []})
    passed_over: int = 0

    def priority_of(self, key):
        return next((priority for priority, one in self.ready if one == key), None)

    def _ready(self, key, priority):
        self.ready.append((priority, key))
        if key.namespace not in self.turns[priority]:
            self.turns[priority].append(key.namespace)

    def _unready(self, priority, key):
        self.ready.remove((priority, key))
        if not any(one.namespace == key.namespace for level, one in self.ready if level == priority):
            self.turns[priority].remove(key.namespace)

    def request(self, key, deadline, priority):
        """add is a request with the present as its deadline."""
        if key in self.running:
            self.again[key] = min(self.again.get(key, (math.inf, 9)), (deadline, priority))
        elif (old := self.priority_of(key)) is not None:
            if deadline <= self.now and priority < old:
                self._unready(old, key)
                self._ready(key, priority)
        elif deadline <= self.now:
            _, old_priority = self.waiting.pop(key, (0, priority))
            self._ready(key, min(priority, old_priority))
        else:
            old_deadline, old_priority = self.waiting.get(key, (math.inf, priority))
            if deadline < old_deadline:
                # Of keys with one deadline the one that asked first is served first.
                self.waiting.pop(key, None)
                self.waiting[key] = (deadline, min(priority, old_priority))

    def advance(self, seconds):
        self.now += seconds
        for key, (deadline, priority) in sorted(self.waiting.items(), key=lambda item: item[1][0]):
            if deadline <= self.now:
                del self.waiting[key]
                self._ready(key, priority)

    def pop(self):
        both = bool(self.turns[0] and self.turns[1])
        self.passed_over = (self.passed_over + 1) % PASSED_OVER if both else 0
        for priority in (1, 0) if both and not self.passed_over else (0, 1):
            if self.turns[priority]:
                namespace = self.turns[priority].pop(0)
                key = next(one for level, one in self.ready if level == priority and one.namespace == namespace)
                self.ready.remove((priority, key))
                if any(level == priority and one.namespace == namespace for level, one in self.ready):
                    self.turns[priority].append(namespace)
                self.running[key] = priority
                return key
        return None

    def done(self, key, deadline):
        del self.running[key]
        wanted = min((deadline, 0), self.again.pop(key, (math.inf, 0)), key=lambda request: request[0])
        if wanted[0] < math.inf:
            self.request(key, *wanted)

    def abandon(self, key):
        priority = self.running.pop(key)
        self.again.pop(key, None)
        self._ready(key, priority)


CALLS = st.one_of(
    st.tuples(st.just("add"), st.sampled_from(KEYS), PRIORITY),
    st.tuples(st.just("add_after"), st.sampled_from(KEYS), PRIORITY, DELAYS),
    st.tuples(st.just("advance"), DELAYS),
    st.tuples(st.just("pop")),
    st.tuples(st.just("done"), st.integers(0, 3), st.one_of(st.just(math.inf), DELAYS)),
    st.tuples(st.just("abandon"), st.integers(0, 3)),
)


def play(call, queue: QueueState, model: Model) -> None:
    match call:
        case ("add", key, priority):
            queue.add(key, model.now, priority)
            model.request(key, model.now, priority)
        case ("add_after", key, priority, delay):
            queue.add_after(key, model.now + delay, model.now, priority)
            model.request(key, model.now + delay, priority)
        case ("advance", seconds):
            model.advance(seconds)
            queue.promote(model.now)
        case ("pop",):
            popped = queue.pop(model.now)
            assert (popped.key if popped else None) == model.pop()
        case ("done", index, deadline) if model.running:
            key = sorted(model.running)[index % len(model.running)]
            queue.done(key, model.now, model.now + deadline)
            model.done(key, model.now + deadline)
        case ("abandon", index) if model.running:
            key = sorted(model.running)[index % len(model.running)]
            queue.abandon(key, model.now)
            model.abandon(key)


def agrees(queue: QueueState, model: Model) -> None:
    known = {key: entry.phase for key, entry in queue.entries.items()}
    assert {key for key, phase in known.items() if phase is Phase.RUNNING} == set(model.running)
    assert {key for key, phase in known.items() if phase is Phase.READY} == {key for _, key in model.ready}
    deadlines = {key: entry.deadline for key, entry in queue.entries.items() if entry.phase is Phase.WAITING}
    assert deadlines == {key: deadline for key, (deadline, _) in model.waiting.items()}
    assert queue.next_deadline() == min(deadlines.values(), default=math.inf)


@pytest.mark.timeout(120 + SEQUENCES / 10)
@settings(max_examples=SEQUENCES, deadline=None)
@given(st.lists(CALLS, max_size=40))
def test_any_sequence_of_calls_agrees_with_the_model(calls):
    """No key is lost, none runs twice at once, the earlier deadline wins, a late retry survives, turns are fair."""
    queue, model = QueueState(2), Model()
    for call in calls:
        play(call, queue, model)
        agrees(queue, model)
    while queue.entries:
        for key in sorted(model.running):
            queue.done(key, model.now)
            model.done(key, math.inf)
        model.advance(10)
        while popped := queue.pop(model.now):
            assert popped.key == model.pop()
    assert model == Model(now=model.now)
