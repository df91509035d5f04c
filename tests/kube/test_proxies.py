"""Which proxy the environment names for a server. Each answer is what kubectl 1.32 did with the same variables."""

import pytest

from lambent.errors import UsageError
from lambent.kube.proxies import environment_proxy

REAL_TIME = True
PROXY = "http://proxy:3128"
NAME, HTTPS, ADDRESS, SIX = "http://api.test.invalid", "https://api.test.invalid", "http://10.1.2.3", "http://[fd00::1]"


@pytest.mark.parametrize(
    ("server", "environ", "proxy"),
    [
        (NAME, {}, None),
        (NAME, {"HTTP_PROXY": PROXY}, PROXY),
        (NAME, {"http_proxy": PROXY}, PROXY),
        (NAME, {"HTTP_PROXY": "", "http_proxy": PROXY}, PROXY),
        (NAME, {"HTTP_PROXY": PROXY, "http_proxy": "http://other"}, PROXY),
        (NAME, {"HTTPS_PROXY": PROXY}, None),
        (NAME, {"ALL_PROXY": PROXY}, None),
        (HTTPS, {"HTTPS_PROXY": PROXY}, PROXY),
        (HTTPS, {"HTTP_PROXY": PROXY}, None),
        (HTTPS, {"HTTPS_PROXY": "proxy:3128"}, PROXY),
        ("http://localhost:1", {"HTTP_PROXY": PROXY}, None),
        ("http://127.9.9.9:1", {"HTTP_PROXY": PROXY}, None),
        ("http://[::1]:1", {"HTTP_PROXY": PROXY}, None),
        ("http://[::ffff:127.0.0.1]:1", {"HTTP_PROXY": PROXY}, None),
        (NAME, {"HTTP_PROXY": PROXY, "no_proxy": "invalid"}, None),
        (NAME, {"HTTP_PROXY": PROXY, "NO_PROXY": "x", "no_proxy": "invalid"}, PROXY),
        (NAME, {"HTTP_PROXY": "socks5://nobody", "NO_PROXY": "*"}, None),
    ],
)
def test_the_variable_of_the_scheme_names_the_proxy(server, environ, proxy):
    assert environment_proxy(server, environ) == proxy


DIRECT = {
    NAME: [
        *("*", "x,*", "test.invalid", ".test.invalid", "*.test.invalid", "api.test.invalid", "invalid"),
        *("API.TEST.INVALID", " test.invalid , x", "test.invalid:80", "test.invalid:"),
    ],
    f"{NAME}:8080": ["test.invalid:8080"],
    HTTPS: ["test.invalid:443"],
    ADDRESS: ["10.1.2.3", "10.0.0.0/8", "10.9.9.9/8", "10.1.2.3:80", "[10.1.2.3]:80", "::ffff:10.1.2.3"],
    SIX: ["fd00::1", "fd00:0::1", "[fd00::1]:80", "fd00::/8"],
}
THROUGH = {
    NAME: [
        *("", ",", ".api.test.invalid", "*.api.test.invalid", "i.test.invalid", "test.invalid:8080", ":80", "*:80"),
        *("*api.test.invalid", "10.0.0.0/8", "http://api.test.invalid", ".", "..", "*."),
    ],
    HTTPS: ["test.invalid:80"],
    ADDRESS: [
        "10.1.2.4",
        "11.0.0.0/8",
        "10.0.0.0/255.0.0.0",
        "10.1.2.3:81",
        "[10.1.2.3]",
        ".2.3",
        "2.3",
        "10.1.2.3/33",
        "fd00::/8",
    ],
    SIX: ["[fd00::1]", "[fd00::1]:81", "10.0.0.0/8"],
}


@pytest.mark.parametrize(("server", "entries"), [(server, entry) for server in DIRECT for entry in DIRECT[server]])
def test_an_entry_of_no_proxy_that_means_the_server(server, entries):
    assert environment_proxy(server, {"HTTP_PROXY": PROXY, "HTTPS_PROXY": PROXY, "NO_PROXY": entries}) is None


@pytest.mark.parametrize(("server", "entries"), [(server, entry) for server in THROUGH for entry in THROUGH[server]])
def test_an_entry_of_no_proxy_that_does_not_mean_it(server, entries):
    assert environment_proxy(server, {"HTTP_PROXY": PROXY, "HTTPS_PROXY": PROXY, "NO_PROXY": entries}) == PROXY


def test_a_proxy_that_we_cannot_speak_to_is_told_by_the_name_of_its_variable():
    with pytest.raises(UsageError, match="HTTPS_PROXY must be http:// or https://; SOCKS proxies are not supported"):
        environment_proxy(HTTPS, {"https_proxy": "socks5://proxy"})
