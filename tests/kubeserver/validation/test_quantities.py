"""Quantities have one form. The pairs are what kube-apiserver 1.34 made of them."""

import pytest

from lambent.kubeserver.validation.quantities import NotAQuantity, canonical, parse


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("0", "0"),
        ("0.5", "500m"),
        ("1000m", "1"),
        ("1500m", "1500m"),
        ("1000", "1k"),
        ("128974848", "128974848"),
        ("1.5Gi", "1536Mi"),
        ("1024Mi", "1Gi"),
        ("0.5Ki", "512"),
        ("100u", "100u"),
        ("1e3", "1e3"),
        ("129e6", "129e6"),
        ("-1", "-1"),
        ("+1", "1"),
        (".5", "500m"),
        ("0.0000000001", "1n"),
    ],
)
def test_a_quantity_is_written_in_one_form(text, form):
    assert canonical(text) == form
    assert canonical(form) == form


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("1" * 5000, "9223372036854775807"),
        ("-" + "1" * 5000, "-9223372036854775807"),
        ("1." + "0" * 5000 + "1", "1001m"),
        ("1." + "0" * 5000, "1"),
        ("0" * 5000 + "2", "2"),
        ("1e" + "0" * 5000 + "3", "1e3"),
        ("0." + "0" * 30 + "1e40", "1e9"),
        ("1e-99999999", "1e-3"),
        ("-1e-99999999", "-1e-3"),
        ("0e99999999", "0"),
        ("1e9999999999", "9223372036854775807"),
    ],
    ids=lambda text: text[:8],
)
def test_what_nobody_could_count_is_read_at_once(text, form):
    assert canonical(text, 1000) == form


@pytest.mark.parametrize(
    "text", ["1e" + "9" * 5000, "", "x", "1 Gi", "1Q", "Gi", "--1", "1e", "0x1"], ids=lambda text: text[:8]
)
def test_what_is_no_quantity_is_refused(text):
    with pytest.raises(NotAQuantity):
        parse(text)
