"""Metrics in Prometheus' text form: counters, gauges and histograms, in families by the values of their labels.

A family makes one child for each combination of label values; a metric without labels is its family's only child.
`counter`, `gauge` and `histogram` register a family, put the prefix `lambent_` before its name, and give the family, or
the child where there are no labels. Hold on to children: to find one costs more than to count.

Of our own, since the usual library takes a tenth of the API server's start to import, and a request counts often.
Not here: metrics of the process (memory, descriptors), exemplars, other formats.
Source: Prometheus documentation, "Exposition formats", version 0.0.4.
"""

import time
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import accumulate
from typing import Generic, NamedTuple, TypeVar, overload

# Seconds: Prometheus' usual bounds, which fit a request; the last bucket holds what is above.
_BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)


class Sample(NamedTuple):
    """A line of the text form; of a child: with what follows the family's name, and labels beyond the family's."""

    name: str
    labels: dict[str, str]
    value: float


class Counter:
    """Only grows. Threads may add: CPython changes threads at calls and jumps back, and `+=` holds neither."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value = 0.0

    def inc(self, amount: float = 1.0) -> None:
        self.value += amount

    def samples(self) -> Iterator[Sample]:
        yield Sample("", {}, self.value)


class Gauge:
    """Goes up and down, or asks a function whenever it is read."""

    __slots__ = ("_ask", "_value")

    def __init__(self) -> None:
        self._value = 0.0
        self._ask: Callable[[], float] | None = None

    def inc(self, amount: float = 1.0) -> None:
        self._value += amount

    def dec(self, amount: float = 1.0) -> None:
        self._value -= amount

    def set(self, value: float) -> None:
        self._value = value

    def set_function(self, ask: Callable[[], float]) -> None:
        self._ask = ask

    def samples(self) -> Iterator[Sample]:
        yield Sample("", {}, self._value if self._ask is None else self._ask())


class Histogram:
    """How many observed seconds were at most each bound, how many there were, and their sum."""

    __slots__ = ("_counts", "_sum")

    def __init__(self) -> None:
        self._counts = [0] * (len(_BOUNDS) + 1)
        self._sum = 0.0

    def observe(self, seconds: float) -> None:
        self._counts[bisect_left(_BOUNDS, seconds)] += 1
        self._sum += seconds

    @contextmanager
    def time(self) -> Iterator[None]:
        """Observes how long the block takes."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self.observe(time.perf_counter() - began)

    def samples(self) -> Iterator[Sample]:
        totals = list(accumulate(self._counts))
        for bound, total in zip((*map(str, _BOUNDS), "+Inf"), totals, strict=True):
            yield Sample("_bucket", {"le": bound}, total)
        yield Sample("_count", {}, totals[-1])
        yield Sample("_sum", {}, self._sum)


M = TypeVar("M", Counter, Gauge, Histogram)


class Family(Generic[M]):
    """The children of one name; `type` is the word of the text form."""

    def __init__(self, make: type[M], name: str, documentation: str, labels: Sequence[str]) -> None:
        self.name = name
        self.type = make.__name__.lower()
        self.documentation = documentation
        self._make: Callable[[], M] = make
        self._labels = tuple(labels)
        self._children: dict[tuple[str, ...], M] = {}

    def labels(self, *values: object, **named: object) -> M:
        """The child of these values, in order or by name; raises ValueError when they are not the family's labels."""
        given = values or [named[label] for label in self._labels if label in named]
        if len(given) != len(self._labels) or (named and len(named) != len(given)):
            raise ValueError(f"the labels of {self.name} are: {', '.join(self._labels)}")
        key = tuple(map(str, given))
        child = self._children.get(key)
        return self._children.setdefault(key, self._make()) if child is None else child

    @property
    def samples(self) -> Iterator[Sample]:
        for values, child in list(self._children.items()):
            labels = dict(zip(self._labels, values, strict=True))
            for suffix, more, value in child.samples():
                yield Sample(self.name + suffix, labels | more, value)


class Registry:
    """Every family of the process."""

    def __init__(self) -> None:
        self._families: dict[str, Family[Counter] | Family[Gauge] | Family[Histogram]] = {}

    def register(self, make: type[M], name: str, documentation: str, labels: Sequence[str]) -> Family[M]:
        """Raises ValueError when there is one of that name."""
        family = Family(make, name, documentation, labels)
        if self._families.setdefault(name, family) is not family:
            raise ValueError(f"there is a metric {name} already")
        return family

    def collect(self) -> list[Family[Counter] | Family[Gauge] | Family[Histogram]]:
        return list(self._families.values())

    def get_sample_value(self, name: str, labels: Mapping[str, str] | None = None) -> float | None:
        """Of the sample with exactly these labels; None when there is none."""
        samples = (sample for family in self.collect() if name.startswith(family.name) for sample in family.samples)
        return next((each.value for each in samples if (each.name, each.labels) == (name, labels or {})), None)


REGISTRY = Registry()


@overload
def counter(name: str, documentation: str) -> Counter: ...
@overload
def counter(name: str, documentation: str, labels: Sequence[str]) -> Family[Counter]: ...
def counter(name: str, documentation: str, labels: Sequence[str] = ()) -> Counter | Family[Counter]:
    return _registered(Counter, name, documentation, labels)


@overload
def gauge(name: str, documentation: str) -> Gauge: ...
@overload
def gauge(name: str, documentation: str, labels: Sequence[str]) -> Family[Gauge]: ...
def gauge(name: str, documentation: str, labels: Sequence[str] = ()) -> Gauge | Family[Gauge]:
    return _registered(Gauge, name, documentation, labels)


@overload
def histogram(name: str, documentation: str) -> Histogram: ...
@overload
def histogram(name: str, documentation: str, labels: Sequence[str]) -> Family[Histogram]: ...
def histogram(name: str, documentation: str, labels: Sequence[str] = ()) -> Histogram | Family[Histogram]:
    return _registered(Histogram, name, documentation, labels)


def _registered(make: type[M], name: str, documentation: str, labels: Sequence[str]) -> M | Family[M]:
    family = REGISTRY.register(make, f"lambent_{name}", documentation, labels)
    return family if labels else family.labels()


def render_metrics() -> bytes:
    """The exposition of every metric, `text/plain; version=0.0.4`."""
    lines = []
    for family in REGISTRY.collect():
        meaning = family.documentation.replace("\\", r"\\").replace("\n", r"\n")
        lines += [f"# HELP {family.name} {meaning}", f"# TYPE {family.name} {family.type}", *map(_line, family.samples)]
    return "".join(f"{line}\n" for line in lines).encode()


def _line(sample: Sample) -> str:
    pairs = ",".join(f'{name}="{_escaped(value)}"' for name, value in sample.labels.items())
    return f"{sample.name}{{{pairs}}} {float(sample.value)}" if pairs else f"{sample.name} {float(sample.value)}"


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")
