"""A kubeconfig resolves as kubectl resolves it."""

import base64

import pytest
import yaml

from lambent.errors import UsageError
from lambent.kube.credentials import ClientCertificate, StaticCredentials, TokenFile
from lambent.kube.kubeconfig import Impersonation, load

REAL_TIME = True


def config(server="https://one", user=None, cluster=None, context=None, **top):
    return {
        "current-context": "c",
        "clusters": [{"name": "k", "cluster": {"server": server, **(cluster or {})}}],
        "users": [{"name": "u", "user": user or {}}],
        "contexts": [{"name": "c", "context": {"cluster": "k", "user": "u", **(context or {})}}],
        **top,
    }


@pytest.fixture
def write(tmp_path):
    def write(content, name="config"):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(yaml.safe_dump(content))
        return file

    return write


def test_an_explicit_path_wins_over_the_environment(write):
    explicit, listed = write(config("https://a"), "a"), write(config("https://b"), "b")
    assert load(explicit, environ={"KUBECONFIG": str(listed)}).server == "https://a"
    assert load(environ={"KUBECONFIG": str(listed)}).server == "https://b"


def test_the_first_definition_of_a_name_wins_and_missing_files_are_passed_over(write, tmp_path):
    first = write({"clusters": [{"name": "k", "cluster": {"server": "https://first"}}]}, "first")
    second = write(config("https://second"), "second")
    listed = f"{first}:{tmp_path / 'none'}:{second}"
    assert load(environ={"KUBECONFIG": listed}).server == "https://first"


def test_the_home_directory_is_the_default(write, tmp_path):
    write(config("https://home"), ".kube/config")
    assert load(environ={"HOME": str(tmp_path)}).server == "https://home"


def test_relative_paths_belong_to_their_file(write, tmp_path):
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "ca.pem").write_bytes(b"CA")
    file = write(config(cluster={"certificate-authority": "ca.pem"}, user={"tokenFile": "tok"}), "deep/config")
    found = load(file)
    assert found.ca == b"CA"
    assert found.credentials == TokenFile(tmp_path / "deep" / "tok")


def test_each_of_several_files_owns_its_paths(write, tmp_path):
    first = write({"users": [{"name": "u", "user": {"tokenFile": "tok"}}]}, "a/config")
    second = write(config(cluster={"certificate-authority": "ca.pem"}, user={"tokenFile": "other"}), "b/config")
    (tmp_path / "b" / "ca.pem").write_bytes(b"CA")
    found = load(environ={"KUBECONFIG": f"{first}:{second}"})
    assert (found.ca, found.credentials) == (b"CA", TokenFile(tmp_path / "a" / "tok"))


def test_a_token_file_wins_over_a_token(write, tmp_path):
    found = load(write(config(user={"token": "t", "tokenFile": "tok"})))
    assert found.credentials == TokenFile(tmp_path / "tok", "t")


def test_an_unverified_server_is_warned_of(write, caplog):
    assert load(write(config(cluster={"insecure-skip-tls-verify": True}))).insecure_skip_tls_verify
    assert "insecure-skip-tls-verify" in caplog.text


def test_a_file_of_the_environment_wins_over_the_home_directory_and_that_over_the_pod(write, tmp_path):
    (tmp_path / "token").write_text("tok")
    (tmp_path / "ca.crt").write_text("CA")
    pod = {"KUBERNETES_SERVICE_HOST": "pod", "HOME": str(tmp_path)}
    assert load(environ=pod, service_account=tmp_path).server == "https://pod:443"
    write(config("https://home"), ".kube/config")
    assert load(environ=pod, service_account=tmp_path).server == "https://home"
    listed = {**pod, "KUBECONFIG": str(write(config("https://listed"), "listed"))}
    assert load(environ=listed, service_account=tmp_path).server == "https://listed"


def test_inline_data_wins_over_a_path(write):
    inline = base64.b64encode(b"INLINE").decode()
    file = write(config(cluster={"certificate-authority-data": inline, "certificate-authority": "/none"}))
    assert load(file).ca == b"INLINE"


def test_context_namespace_and_user_can_be_chosen(write):
    content = config(context={"namespace": "ns"}, user={"as": "bob", "as-groups": ["g"], "as-user-extra": {"x": ["1"]}})
    content["contexts"].append({"name": "d", "context": {"cluster": "k"}})
    file = write(content)
    assert load(file).namespace == "ns"
    assert load(file).impersonation == Impersonation("bob", ("g",), extra=(("x", "1"),))
    assert load(file, namespace="mine").namespace == "mine"
    assert load(file, context="d").namespace == "default"


BOB = {"as": "bob", "as-groups": ["g"], "as-uid": "7", "as-user-extra": {"x": ["1"]}}
EXTRA = (("x", "1"),)


@pytest.mark.parametrize(
    ("user", "asked", "expected"),
    [
        (BOB, {}, Impersonation("bob", ("g",), "7", EXTRA)),
        (BOB, {"as_user": "eve"}, Impersonation("eve", ("g",), "7", EXTRA)),
        (BOB, {"as_groups": ("h", "i")}, Impersonation("bob", ("h", "i"), "7", EXTRA)),
        (BOB, {"as_user": "", "as_groups": ()}, Impersonation("bob", ("g",), "7", EXTRA)),
        ({}, {"as_user": "eve", "as_groups": ("a,b",)}, Impersonation("eve", ("a,b",))),
    ],
    ids=["nobody", "a user", "groups", "nothing", "both"],
)
def test_who_is_asked_for_goes_before_the_file_member_by_member(write, user, asked, expected):
    """As kubectl 1.32 sent the headers."""
    assert load(write(config(user=user)), **asked).impersonation == expected


def test_a_context_that_is_not_there_is_told_with_those_that_are(write, tmp_path):
    content = config()
    content["contexts"].append({"name": "d", "context": {"cluster": "k"}})
    with pytest.raises(UsageError, match="context 'e' does not exist; the contexts there are: 'c', 'd'"):
        load(write(content), context="e")
    pod = {"KUBERNETES_SERVICE_HOST": "one", "HOME": str(tmp_path / "home")}
    (tmp_path / "token").write_text("t")
    with pytest.raises(UsageError, match="no kubeconfig, so no context 'e'"):
        load(environ=pod, service_account=tmp_path, context="e")


@pytest.mark.parametrize(
    ("user", "expected"),
    [
        ({"token": "t"}, StaticCredentials("t")),
        ({"username": "a", "password": "b"}, StaticCredentials("", "a", "b")),
        ({}, StaticCredentials()),
        (
            {"client-certificate-data": "Qw==", "client-key-data": "Sw=="},
            StaticCredentials(client_certificate=ClientCertificate(b"C", b"K")),
        ),
    ],
    ids=["token", "password", "nothing", "certificate"],
)
def test_each_kind_of_user(write, user, expected):
    assert load(write(config(user=user))).credentials == expected


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (config(user={"auth-provider": {"name": "gcp"}}), "exec plug-in"),
        (config(cluster={"insecure-skip-tls-verify": True, "certificate-authority-data": "Qw=="}), "exclude"),
        (config(user={"client-certificate-data": "Qw=="}), "come together"),
        (config(user={"exec": {"command": "x", "apiVersion": "client.authentication.k8s.io/v1alpha1"}}), "v1alpha1"),
        (config(user={"exec": {"command": "x", "interactiveMode": "Always"}}), "terminal"),
        (config(**{"current-context": "other"}), "'other' does not exist"),
        (config(**{"current-context": ""}), "current-context"),
        (config(context={"cluster": "zz"}), "'zz' does not exist"),
        (config(server=""), "no server"),
        (config(cluster={"proxy-url": "socks5://p"}), "SOCKS"),
        (config(user={"as-groups": ["g"]}), "need a user"),
        (["x"], "not a mapping"),
    ],
    ids=[
        "auth-provider",
        "ca+insecure",
        "half-cert",
        "exec-version",
        "exec-tty",
        "no-ctx",
        "unset",
        "no-cluster",
        "no-server",
        "socks",
        "groups of nobody",
        "list",
    ],
)
def test_a_wrong_configuration_says_what_is_wrong(write, content, words):
    with pytest.raises(UsageError, match=words):
        load(write(content))


def test_without_any_configuration_the_error_names_the_ways(tmp_path):
    with pytest.raises(UsageError, match="KUBECONFIG"):
        load(environ={"HOME": str(tmp_path)}, service_account=tmp_path)


async def test_in_cluster_uses_the_mounted_account(tmp_path):
    for name, text in (("token", "tok"), ("ca.crt", "CA"), ("namespace", "team")):
        (tmp_path / name).write_text(text)
    environ = {"KUBERNETES_SERVICE_HOST": "fd00::1", "KUBERNETES_SERVICE_PORT": "443", "HOME": str(tmp_path)}
    found = load(environ=environ, service_account=tmp_path, as_user="eve", as_groups=["g"])
    assert found.impersonation == Impersonation("eve", ("g",))
    through = load(environ={**environ, "HTTPS_PROXY": "proxy:3128"}, service_account=tmp_path)
    assert (found.proxy_url, through.proxy_url) == (None, "http://proxy:3128")
    assert (found.server, found.namespace, found.ca) == ("https://[fd00::1]:443", "team", b"CA")
    assert await found.credentials.headers() == {"Authorization": "Bearer tok"}


def test_secrets_do_not_show_in_a_repr(write):
    shown = repr(
        load(write(config(user={"token": "canary", "client-certificate-data": "Qw==", "client-key-data": "Sw=="})))
    )
    assert "canary" not in shown
    assert "Qw" not in shown
