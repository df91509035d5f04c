"""Texts of each format, as the registry of formats of kube-apiserver 1.34 takes or refuses them."""

import pytest

from lambent.kube.schema.formats import FORMATS

# Format -> what it takes, what it refuses
CASES: dict[str, tuple[list[str], list[str]]] = {
    "bsonobjectid": (["507f1f77bcf86cd799439011"], ["507f1f77bcf86cd79943901"]),
    "byte": (["YQ=="], ["", "YQ", "*"]),
    "cidr": (["10.0.0.1/8", "::/0"], ["10.0.0.0", "10.0.0.0/33", "10.0.0.0/-1"]),
    "creditcard": (["4111-1111-1111-1111", "378282246310005"], ["1234567890123456", "411111111111111"]),
    "date": (["2026-01-01"], ["2026-02-30", "20260101", "2026-W01-1", "2026-1-1"]),
    "date-time": (
        ["2026-01-01T00:00:00Z", "2026-01-01t00:00:00.5+01:00"],
        ["2026-02-30T00:00:00Z", "2026-01-01T00:00:60Z", "2026-01-01T00:00:00+0100", "2026-01-01 00:00:00Z"],
    ),
    "duration": (["1h30m", "3 days", "-1h", "2w"], ["90", ""]),
    "email": (["a@b", "A <a@b.c>", '"a b"@c.d'], ["a b@c.d", "a@", "a@b@c"]),
    "hexcolor": (["#fff", "ffffff"], ["#ggg", "#ffff"]),
    "hostname": (["localhost", "a.bc", "A.Bc", "xn--a.bc", "+1h"], ["a_b", "a..b", "1.2.3.4", "x" * 64]),
    "ipv4": (["127.0.0.1", "010.0.0.1", "::ffff:1.2.3.4"], ["::1", "1.2.3"]),
    "ipv6": (["::1", "::ffff:1.2.3.4"], ["127.0.0.1", "fe80::1%eth0"]),
    "isbn": (["978-0321751041", "080442957X"], ["032175104X"]),
    "isbn10": (["0-8044-2957-X"], ["9780321751041"]),
    "isbn13": (["9780321751041"], ["080442957X"]),
    "mac": (["00-00-5e-00-53-01", "0000.5e00.5301", "00005e005301"], ["00:00:5e:00:53", "zz"]),
    "password": (["", "x"], []),
    "rgbcolor": (["rgb(1, 2, 3)"], ["rgb(256,0,0)", "rgb(1,2)", "RGB(1,2,3)"]),
    "ssn": (["123-45-6789", "123 45 6789"], ["123456789"]),
    "uri": (["http://a/b", "/a", "urn:x:y", "*"], ["a", "", "http://a b", "http://a/%zz", "http://a:b/"]),
    "uuid": (["11111111-1111-1111-1111-111111111111", "1" * 32], ["x"]),
    "uuid3": (["11111111-1111-3111-8111-111111111111"], ["11111111-1111-4111-8111-111111111111"]),
    "uuid4": (["11111111-1111-4111-8111-111111111111"], ["11111111-1111-4111-1111-111111111111"]),
    "uuid5": (["11111111-1111-5111-8111-111111111111"], ["11111111-1111-4111-8111-111111111111"]),
}


@pytest.mark.parametrize("name", CASES)
def test_a_format_takes_what_kubernetes_takes(name):
    taken, refused = CASES[name]
    assert [text for text in (*taken, *refused) if FORMATS[name](text)] == taken


def test_every_format_has_its_cases():
    assert FORMATS.keys() - {"datetime"} == CASES.keys()
