"""Life cycle of an execution environment ("instance") as one table; what the table does not allow is illegal.

    STARTING ─spawned─► INIT ─poll─► IDLE ─hand─► BUSY ─answer─► RETURNING ─poll─► IDLE
        └──────────────── stop ─────────────────────► STOPPING ─exit─► GONE   (exit alone: any state ─► GONE)

A poll is a parked `GET /next`. An illegal signal that a runtime caused is answered 403 `InvalidStateTransition` and
changes nothing. Not here: what happens on a transition (`runtime.instance`) and when to spawn (`runtime.spawning`).
Source: AWS Lambda developer guide, "Lambda execution environment lifecycle".
"""

from collections.abc import Mapping
from enum import Enum, auto
from types import MappingProxyType


class State(Enum):
    STARTING = auto()
    INIT = auto()
    IDLE = auto()
    BUSY = auto()
    RETURNING = auto()
    STOPPING = auto()
    GONE = auto()


class Signal(Enum):
    SPAWNED = auto()
    POLL = auto()
    POLL_LOST = auto()
    HAND = auto()
    UNDELIVERED = auto()
    ANSWER = auto()
    INIT_ERROR = auto()
    STOP = auto()
    EXIT = auto()


_ENDS: Mapping[Signal, State] = {Signal.STOP: State.STOPPING, Signal.EXIT: State.GONE}

TRANSITIONS: Mapping[State, Mapping[Signal, State]] = MappingProxyType(
    {
        State.STARTING: {
            Signal.SPAWNED: State.INIT,
            Signal.POLL: State.IDLE,
            Signal.INIT_ERROR: State.STOPPING,
            **_ENDS,
        },
        State.INIT: {Signal.POLL: State.IDLE, Signal.INIT_ERROR: State.STOPPING, **_ENDS},
        State.IDLE: {Signal.HAND: State.BUSY, Signal.POLL_LOST: State.RETURNING, **_ENDS},
        State.BUSY: {Signal.ANSWER: State.RETURNING, Signal.UNDELIVERED: State.RETURNING, **_ENDS},
        State.RETURNING: {Signal.POLL: State.IDLE, **_ENDS},
        State.STOPPING: {Signal.EXIT: State.GONE},
        State.GONE: {},
    }
)

LIVE = frozenset({State.STARTING, State.INIT, State.IDLE, State.BUSY, State.RETURNING})
"""States that count against the concurrency of a pool."""


class IllegalTransition(Exception):
    """A signal the table does not allow in this state."""

    def __init__(self, state: State, signal: Signal) -> None:
        super().__init__(f"{signal.name} is not possible in state {state.name}")
        self.state = state
        self.signal = signal


def follow(state: State, signal: Signal) -> State:
    """The next state; raises `IllegalTransition`."""
    try:
        return TRANSITIONS[state][signal]
    except KeyError:
        raise IllegalTransition(state, signal) from None
