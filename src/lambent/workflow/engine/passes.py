"""One pass of a workflow, without I/O: it hands out effects and takes answers until every step has an outcome.

    pass_ = WorkflowPass(workflow, parent, catalog)
    effects = pass_.start()
    while effects:
        effect = effects.pop()
        effects += pass_.feed(effect, answer_to(effect))
    pass_.result

Each step is a generator (`step_run`). The scheduler here keeps a queue of generators to resume, so that a chain of
hundreds of steps does not recurse. An exception that nothing foresaw ends only the step in which it happened.

Whoever shares a thread with others drives the pass in pieces: `launch` and `take` only queue what is to be resumed,
`advance` resumes until it has had enough. A piece is small: a step's expressions, or one item of a forEach.

Not here: clocks (the driver answers `TimedOut`), the writing of status (`publishing`), the order of deletions.
"""

import logging
from collections import deque
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from lambent.workflow.engine.effects import Answer, Effect, Read, Write
from lambent.workflow.engine.outcomes import Ok, PermFail, Retry, combine
from lambent.workflow.engine.references import Owner
from lambent.workflow.engine.resource_run import Ran
from lambent.workflow.engine.state import merged_state
from lambent.workflow.engine.step_run import (
    CRASH_S,
    PAUSE,
    Fork,
    LogicLookup,
    RunResult,
    Scope,
    StepResult,
    Sub,
    run_step,
)
from lambent.workflow.engine.targets import Context
from lambent.workflow.engine.workflows import Step, Workflow

_log = logging.getLogger(__name__)

MAX_DEPTH = 16


@dataclass(slots=True, eq=False)
class _Run:
    """One workflow in progress; `outer` is the outermost step that it belongs to (None at the top)."""

    workflow: Workflow
    parent: Any
    depth: int
    outer: Step | None
    done: Callable[[RunResult], None]
    results: dict[str, StepResult] = field(default_factory=dict)
    started: set[str] = field(default_factory=set)


@dataclass(slots=True, eq=False)
class _Strand:
    """A generator to resume, whom its result goes to, and what a crash of it counts as."""

    running: Generator[Any, Any, Any]
    done: Callable[[Any], None]
    crashed: Callable[[Retry], Any]
    depth: int
    outer: Step


class WorkflowPass:
    """`parent` is the trigger object as expressions see it: metadata, spec, state, status, apiVersion, kind.

    `looks_on` saves the pass after a write, where that would only find that there is more to wait for.
    """

    def __init__(
        self,
        workflow: Workflow,
        parent: Mapping[str, Any],
        lookup: LogicLookup,
        *,
        owner: Owner | None = None,
        looks_on: bool = False,
    ) -> None:
        self._lookup = lookup
        self._context = Context(lookup, owner, looks_on)
        self._ready: deque[tuple[_Strand, Any]] = deque()
        self._open: dict[Effect, _Strand] = {}
        self._new: list[Effect] = []
        self._result: RunResult | None = None
        self._root = _Run(workflow, parent, 0, None, self._finish)

    @property
    def result(self) -> RunResult | None:
        """Present when every step has an outcome."""
        return self._result

    @property
    def is_waiting(self) -> bool:
        """Whether nothing can be resumed before an answer comes."""
        return not self._ready

    def start(self) -> list[Effect]:
        """Runs as far as possible without an answer."""
        self.launch()
        return self.advance()

    def feed(self, effect: Effect, answer: Answer) -> list[Effect]:
        """Takes the answer to an open effect; returns the effects that it leads to."""
        self.take(effect, answer)
        return self.advance()

    def launch(self) -> None:
        """Once, before all else."""
        self._launch(self._root)

    def take(self, effect: Effect, answer: Answer) -> None:
        """The answer to an open effect."""
        self._ready.append((self._open.pop(effect), answer))

    def advance(self, has_enough: Callable[[], bool] = lambda: False) -> list[Effect]:
        """Resumes what can be, at least one piece, until `has_enough()`; returns the effects that it leads to."""
        while self._ready:
            self._resume(*self._ready.popleft())
            if has_enough():
                break
        new, self._new = self._new, []
        return new

    def _finish(self, result: RunResult) -> None:
        self._result = result

    def _resume(self, strand: _Strand, value: Any) -> None:
        try:
            request = strand.running.send(value)
        except StopIteration as stop:
            strand.done(stop.value)
            return
        except Exception as error:  # noqa: BLE001 - the one catch-all of a step: its siblings go on
            _log.exception("a workflow step failed unexpectedly", extra={"step": strand.outer.label})
            strand.done(strand.crashed(Retry(f"Unexpected {type(error).__name__} in step", CRASH_S)))
            return
        if isinstance(request, Read | Write):
            self._open[request] = strand
            self._new.append(request)
        elif request is PAUSE:
            self._ready.append((strand, None))
        elif isinstance(request, Fork):
            self._fork(strand, request)
        else:
            self._nest(strand, request)

    def _fork(self, parent: _Strand, fork: Fork) -> None:
        results: list[Ran | None] = [None] * fork.size
        waiting = enumerate(fork.children)
        left = fork.size

        def launch() -> None:
            for index, child in islice(waiting, 1):

                def finished(result: Ran, index: int = index) -> None:
                    nonlocal left
                    results[index] = result
                    left -= 1
                    launch()
                    if not left:
                        self._ready.append((parent, results))

                self._ready.append((_Strand(child, finished, Ran, parent.depth, parent.outer), None))

        for _ in range(fork.limit):
            launch()

    def _nest(self, strand: _Strand, sub: Sub) -> None:
        def finished(result: RunResult) -> None:
            self._ready.append((strand, result))

        if strand.depth >= MAX_DEPTH:
            failure = PermFail(f"sub-workflows are nested deeper than {MAX_DEPTH}", str(sub.workflow.identity))
            finished(RunResult(sub.workflow, {}, failure, {}))
            return
        self._launch(_Run(sub.workflow, sub.parent, strand.depth + 1, strand.outer, finished))

    def _launch(self, run: _Run) -> None:
        """Starts every step whose dependencies are done, within the workflow's concurrency."""
        for step in run.workflow.steps:
            if len(run.started) - len(run.results) >= run.workflow.concurrency:
                return
            if step.label not in run.started and all(d.label in run.results for d in step.dependencies):
                self._begin(run, step)

    def _begin(self, run: _Run, step: Step) -> None:
        run.started.add(step.label)
        outer = run.outer or step
        scope = Scope(self._lookup, self._context, run.workflow, run.parent, run.results, outer.label, outer.timeout_s)

        def finished(result: StepResult) -> None:
            run.results[step.label] = result
            if len(run.results) == len(run.workflow.steps):
                run.done(_summed(run))
            else:
                self._launch(run)

        strand = _Strand(run_step(scope, step), finished, lambda retry: StepResult(step, retry), run.depth, outer)
        self._ready.append((strand, None))


def _summed(run: _Run) -> RunResult:
    """Results in the order of the steps; the outcome of a workflow that is Ok is its state."""
    steps = {step.label: run.results[step.label] for step in run.workflow.steps}
    outcome = combine(result.outcome for result in steps.values())
    previous = run.parent.get("state") if run.outer is None and isinstance(run.parent, Mapping) else None
    state = merged_state(
        steps.values(), previous if isinstance(previous, Mapping) else None, deep=run.workflow.is_deep_state
    )
    return RunResult(run.workflow, steps, Ok(state) if isinstance(outcome, Ok) else outcome, state)
