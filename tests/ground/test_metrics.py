"""Metrics: what is counted is what is shown, in Prometheus' text form."""

import threading

import pytest
from prometheus_client.parser import text_string_to_metric_families

from lambent.telemetry import counter, gauge, histogram, render_metrics
from lambent.telemetry.metrics import REGISTRY, Counter


def _shown(name: str) -> list[str]:
    return [line for line in render_metrics().decode().splitlines() if f"lambent_{name}" in line]


def test_a_counter_shows_its_type_its_meaning_and_each_child() -> None:
    family = counter("m1_total", "What \\ this\ncounts.", ("code", "verb"))
    family.labels(200, "get").inc()
    family.labels(verb="get", code="200").inc(2)
    family.labels("x", 'a"b\\c\nd').inc()
    assert _shown("m1_total") == [
        r"# HELP lambent_m1_total What \\ this\ncounts.",
        "# TYPE lambent_m1_total counter",
        'lambent_m1_total{code="200",verb="get"} 3.0',
        r'lambent_m1_total{code="x",verb="a\"b\\c\nd"} 1.0',
    ]


def test_without_labels_there_is_one_child_from_the_beginning() -> None:
    counter("m2_total", "None yet.")
    assert _shown("m2_total")[-1] == "lambent_m2_total 0.0"


def test_a_gauge_moves_both_ways_and_may_ask_when_it_is_read() -> None:
    moved, asked = gauge("m3", "Moved."), gauge("m4", "Asked.", ("who",))
    moved.set(5)
    moved.inc(2)
    moved.dec()
    level = [1.5]
    asked.labels("me").set_function(lambda: level[0])
    level[0] = 2.5
    assert (_shown("m3")[-1], _shown("m4")[-1]) == ("lambent_m3 6.0", 'lambent_m4{who="me"} 2.5')


def test_a_histogram_counts_up_to_each_bound_inclusively() -> None:
    times = histogram("m5_seconds", "Times.", ("kind",)).labels("a")
    for seconds in (0.005, 0.02, 0.02, 11.0):
        times.observe(seconds)
    with times.time():
        pass
    shown = {sample.labels.get("le"): sample.value for sample in _samples("m5_seconds") if "le" in sample.labels}
    assert (shown["0.005"], shown["0.01"], shown["0.025"], shown["10.0"], shown["+Inf"]) == (2, 2, 4, 4, 5)
    assert REGISTRY.get_sample_value("lambent_m5_seconds_count", {"kind": "a"}) == 5
    assert REGISTRY.get_sample_value("lambent_m5_seconds_sum", {"kind": "a"}) == pytest.approx(11.045, abs=0.005)


def test_prometheus_own_reader_reads_what_was_counted() -> None:
    texts = ("plain", 'a"b\\c\nd', "", "ä {}=,")
    family = counter("m11_total", "Two\nlines, and a \\.", ("text",))
    for number, text in enumerate(texts):
        family.labels(text).inc(number + 0.5)
    histogram("m12_seconds", "Times.").observe(0.02)
    read = {one.name: one for one in text_string_to_metric_families(render_metrics().decode())}
    counted, timed = read["lambent_m11"], read["lambent_m12_seconds"]
    assert (counted.type, counted.documentation) == ("counter", "Two\nlines, and a \\.")
    assert {sample.labels["text"]: sample.value for sample in counted.samples} == dict(
        zip(texts, (0.5, 1.5, 2.5, 3.5), strict=True)
    )
    assert timed.type == "histogram"
    assert [sample.value for sample in timed.samples if sample.name.endswith(("_count", "_sum"))] == [1.0, 0.02]


def _samples(name: str):
    return [sample for family in REGISTRY.collect() if family.name == f"lambent_{name}" for sample in family.samples]


@pytest.mark.parametrize(("values", "named"), [((), {}), (("a", "b"), {}), ((), {"b": "x"}), ((), {"a": 1, "b": 2})])
def test_labels_that_are_not_the_familys_are_refused(values, named) -> None:
    family = REGISTRY.register(Counter, f"m6{len(values)}{''.join(named)}", "One label.", ("a",))
    with pytest.raises(ValueError, match=r"the labels of .* are: a"):
        family.labels(*values, **named)


def test_a_name_is_taken_once() -> None:
    gauge("m7", "First.")
    with pytest.raises(ValueError, match="there is a metric lambent_m7 already"):
        counter("m7", "Second.")


def test_what_threads_add_at_once_is_all_counted() -> None:
    many = counter("m8_total", "From threads.")

    def add() -> None:
        for _ in range(20_000):
            many.inc()

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert REGISTRY.get_sample_value("lambent_m8_total") == 80_000


def test_a_sample_that_is_not_there_has_no_value() -> None:
    counter("m9_total", "With labels only.", ("a",))
    assert REGISTRY.get_sample_value("lambent_m9_total") is None
