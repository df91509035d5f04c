"""Addresses of endpoints and networks of policies: the pairs are what kube-apiserver 1.34 said of them."""

import pytest

from lambent.kubeserver.validation.addresses import is_zero_led, network, parsed, unmapped_network
from lambent.kubeserver.validation.endpoint_slices import endpoint_slice
from lambent.kubeserver.validation.policies import network_policy

LOOPBACK = "may not be in the loopback range (127.0.0.0/8, ::1/128)"
LINK_LOCAL = "may not be in the link-local range (169.254.0.0/16, fe80::/10)"
MULTICAST = "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)"
NO_ADDRESS = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"
SUBSET = "must be a strict subset of `cidr`"


def _said(problem, value):
    return problem.path.rpartition(".")[2], problem.message.removeprefix(f'Invalid value: "{value}": ')


@pytest.mark.parametrize(
    ("kind", "address", "said"),
    [
        ("IPv4", "01.1.1.1", []),
        ("IPv4", "::ffff:1.1.1.1", []),
        ("IPv4", "239.1.1.1", []),
        ("IPv6", "ff01::1", []),
        ("IPv4", "fd00::1", [("addresses", "must be an IPv4 address")]),
        ("IPv6", "127.0.0.1", [("addresses", "must be an IPv6 address"), ("addresses[0]", LOOPBACK)]),
        ("IPv6", "01.1.1.1", [("addresses[0]", "must not have leading 0s")]),
        ("IPv6", "::ffff:01.1.1.1", [("addresses[0]", "must not have leading 0s")]),
        ("IPv6", "::FFFF:127.0.0.1", [("addresses[0]", "must not be an IPv4-mapped IPv6 address")]),
        ("IPv6", "FF02:0::1", [("addresses[0]", 'must be in canonical form ("ff02::1")')]),
        ("IPv6", "ff12::1", [("addresses[0]", MULTICAST)]),
        ("IPv4", "224.0.0.1", [("addresses[0]", MULTICAST)]),
        ("IPv4", "127.0.0.01", [("addresses[0]", LOOPBACK)]),
        ("IPv4", "169.254.1.1", [("addresses[0]", LINK_LOCAL)]),
        ("IPv4", "::ffff:0.0.0.0", [("addresses[0]", "may not be unspecified (::ffff:0.0.0.0)")]),
        ("IPv6", "fe80::1%eth0", [("addresses[0]", NO_ADDRESS)]),
        ("IPv4", " 1.1.1.1", [("addresses[0]", NO_ADDRESS)]),
    ],
)
def test_an_endpoint_has_an_address_of_its_type_that_others_reach(kind, address, said):
    found = endpoint_slice({"addressType": kind, "endpoints": [{"addresses": [address]}]})
    assert [_said(problem, address) for problem in found] == said


@pytest.mark.parametrize(
    ("cidr", "without", "said"),
    [
        ("010.0.0.0/8", "10.1.0.0/16", []),
        ("010.0.0.0/8", "10.0.0.0/8", [SUBSET]),
        ("10.0.0.0/16", "10.0.0.0/8", [SUBSET]),
        ("10.0.0.0/8", "11.0.0.0/16", [SUBSET]),
        ("1.2.0.0/16", "::ffff:1.2.3.0/120", []),
        ("::ffff:1.2.0.0/112", "1.2.3.0/24", [SUBSET]),
        ("::/0", "::ffff:1.2.3.0/120", [SUBSET]),
    ],
)
def test_a_block_may_leave_out_a_smaller_part_of_itself(cidr, without, said):
    block = {"cidr": cidr, "except": [without]}
    found = network_policy({"spec": {"podSelector": {}, "ingress": [{"from": [{"ipBlock": block}]}]}})
    assert [_said(problem, without)[1] for problem in found] == said


@pytest.mark.parametrize("text", ["1.2.3.4", "1.2.3.4/33", "1.2.3.4/-1", "1.2.3/8", "x/8", "/8", "1.2.3.4/"])
def test_a_network_has_an_address_and_a_length(text):
    assert network(text) is None


def test_zeros_before_a_number_are_read_over_and_told_of():
    assert [str(parsed(text)) for text in ("010.0.0.001", "::ffff:01.2.3.4", "::0001")] == [
        "10.0.0.1",
        "::ffff:102:304",
        "::1",
    ]
    texts = ("010.0.0.1", "10.0.0.00", "10.0.0.100", "::0001", "::ffff:1.2.3.04", "0.0.0.0")
    assert [is_zero_led(text) for text in texts] == [True, True, False, False, True, False]
    mapped = network("::ffff:1.2.3.0/120")
    assert mapped is not None
    assert str(unmapped_network(mapped)) == "1.2.3.0/24"
