"""Settings: precedence, conversion, and errors that say where the wrong value stood."""

from pathlib import Path

import pytest

from lambent.errors import UsageError
from lambent.settings import Cluster, Settings, load, options


def test_the_defaults_need_no_source() -> None:
    assert load(environ={}) == Settings()


def test_a_flag_beats_the_environment_which_beats_the_file(tmp_path: Path) -> None:
    file = tmp_path / "lambent.yaml"
    file.write_text("aws: {port: 1}\nkube: {port: 1}\nregion: eu-west-1\n")
    settings = load(flags={"aws.port": "3"}, environ={"LAMBENT_AWS_PORT": "2", "LAMBENT_KUBE_PORT": "2"}, file=file)
    assert (settings.aws.port, settings.kube.port, settings.region) == (3, 2, "eu-west-1")


@pytest.mark.parametrize(
    ("variable", "value", "path"), [("AWS_REGION", "eu-north-1", "region"), ("LOG_LEVEL", "debug", "log_level")]
)
def test_the_older_names_of_variables_stay_valid(variable: str, value: str, path: str) -> None:
    assert getattr(load(environ={variable: value}), path) == value


def test_an_empty_variable_counts_as_unset() -> None:
    assert load(environ={"LAMBENT_AWS_PORT": ""}).aws.port == 4566


@pytest.mark.parametrize(
    ("environ", "complaint"),
    [
        ({"LAMBENT_AWS_PORT": "many"}, "LAMBENT_AWS_PORT: 'many' is not a whole number"),
        ({"LAMBENT_EPHEMERAL": "perhaps"}, "LAMBENT_EPHEMERAL: 'perhaps' is neither true nor false"),
        ({"LAMBENT_EXECUTION_BACKEND": "magic"}, "LAMBENT_EXECUTION_BACKEND: 'magic' is not one of process"),
    ],
    ids=["number", "boolean", "choice"],
)
def test_a_value_that_cannot_be_read_names_its_source(environ: dict[str, str], complaint: str) -> None:
    with pytest.raises(UsageError, match=complaint):
        load(environ=environ)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("aws: {prot: 1}", "unknown setting 'aws.prot'"),
        ("- a", "must be a mapping"),
        ("a: [", "is not YAML"),
    ],
)
def test_a_file_that_is_wrong_is_named(tmp_path: Path, text: str, complaint: str) -> None:
    file = tmp_path / "s.yaml"
    file.write_text(text)
    with pytest.raises(UsageError, match=complaint):
        load(environ={}, file=file)


@pytest.mark.parametrize(
    ("flags", "environ", "words"),
    [
        ({}, {}, ()),
        ({}, {"LAMBENT_AS_GROUP": "a, b,"}, ("a", "b")),
        ({"as_group": ["a,b", "c"]}, {"LAMBENT_AS_GROUP": "d"}, ("a,b", "c")),
    ],
    ids=["none", "commas", "flags"],
)
def test_several_values_come_with_commas_or_as_several_flags(
    flags: dict[str, list[str]], environ: dict[str, str], words: tuple[str, ...]
) -> None:
    assert load(flags=flags, environ=environ).as_group == words


def test_a_file_names_settings_as_the_page_does(tmp_path: Path) -> None:
    file = tmp_path / "s.yaml"
    file.write_text("as: jane\nas_group: [a, b]\ncontext: there\n")
    assert load(environ={}, file=file).cluster == Cluster("", "there", "jane", ("a", "b"))


def test_every_option_has_a_sentence_and_a_flag_of_its_own() -> None:
    flags = [option.flag for option in options()]
    assert len(set(flags)) == len(flags)
    assert all(option.doc for option in options())
