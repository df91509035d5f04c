"""Unpacking: overlays are right, and no archive reaches outside the directory."""

import gzip
import io
import os
import tarfile
from pathlib import Path

import pytest

from lambent.oci import ImageError
from lambent.oci.layers import LayerWriter, UnpackLimits


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The directory that is unpacked to, beside a file that nobody may touch."""
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret").write_text("secret")
    (tmp_path / "root").mkdir()
    return tmp_path / "root"


def _tree(root: Path) -> dict[str, str]:
    """Files with their content, links with `-> target`, empty directories with `/`."""
    found = {}
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root).as_posix()
        if path.is_symlink():
            found[name] = f"-> {os.readlink(path)}"
        elif path.is_file():
            found[name] = path.read_text()
        elif not any(path.iterdir()):
            found[name] = "/"
    return found


def _info(name: str, kind: bytes, *, link: str = "", mode: int = 0o644, size: int = 0) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.mode, info.size = kind, link, mode, size
    return info


def _symlink(name: str, target: str) -> tarfile.TarInfo:
    return _info(name, tarfile.SYMTYPE, link=target)


def _apply(root: Path, *layers: io.BytesIO, limits: UnpackLimits | None = None) -> LayerWriter:
    writer = LayerWriter(root, limits)
    for layer in layers:
        writer.apply(layer)
    return writer


@pytest.mark.parametrize(
    ("upper", "expected"),
    [
        pytest.param([("a/x", b"new")], {"a/x": "new", "a/y": "y", "b": "b"}, id="a file is replaced"),
        pytest.param([("a/.wh.x", b"")], {"a/y": "y", "b": "b"}, id="a file is hidden"),
        pytest.param([(".wh.a", b"")], {"b": "b"}, id="a directory is hidden"),
        pytest.param([("a/.wh..wh..opq", b"")], {"a": "/", "b": "b"}, id="opaque empties"),
        pytest.param(
            [("a/n", b"n"), ("a/.wh..wh..opq", b"")], {"a/n": "n", "b": "b"}, id="opaque spares its own layer"
        ),
        pytest.param([("a/d/n", b"n"), (".wh.a", b"")], {"a/d/n": "n", "b": "b"}, id="a whiteout spares its own layer"),
        pytest.param([(".wh.absent", b"")], {"a/x": "x", "a/y": "y", "b": "b"}, id="hiding nothing"),
        pytest.param([("a", b"file")], {"a": "file", "b": "b"}, id="a file replaces a directory"),
        pytest.param([("b/c", b"c")], None, id="below a file"),
        pytest.param(
            [("b", None), ("b/c", b"c")], {"a/x": "x", "a/y": "y", "b/c": "c"}, id="a directory replaces a file"
        ),
    ],
)
def test_a_layer_changes_what_lies_below(root, layer, upper, expected):
    lower = layer(("a", None), ("a/x", b"x"), ("a/y", b"y"), ("./b", b"b"))
    if expected is None:
        with pytest.raises(ImageError, match="through a file"):
            _apply(root, lower, layer(*upper))
        return
    _apply(root, lower, layer(*upper))
    assert _tree(root) == expected


@pytest.mark.parametrize(
    "entries",
    [
        pytest.param([("../outside/secret", b"bad")], id="dots"),
        pytest.param([("a/../../outside/secret", b"bad")], id="dots inside"),
        pytest.param([_info("x", tarfile.LNKTYPE, link="../outside/secret")], id="hard link out"),
        pytest.param([_info("x", tarfile.LNKTYPE, link="absent")], id="hard link to nothing"),
        pytest.param([_symlink("x", "/etc/passwd"), _info("y", tarfile.LNKTYPE, link="x")], id="hard link to a link"),
        pytest.param([_symlink("a", "b"), _symlink("b", "a"), ("a/x", b"bad")], id="links in a circle"),
        pytest.param([_info("x", tarfile.XHDTYPE, size=5_000_000)], id="endless header"),
    ],
)
def test_a_hostile_layer_is_refused(root, layer, entries):
    with pytest.raises(ImageError):
        _apply(root, layer(*entries))
    assert _tree(root.parent / "outside") == {"secret": "secret"}


@pytest.mark.parametrize(
    "entries",
    [
        pytest.param([("/etc/x", b"in"), _symlink("l", "/etc/x")], id="absolute link"),
        pytest.param([_symlink("l", "../../../../outside"), ("l/secret", b"bad")], id="write through a link up"),
        pytest.param([_symlink("l", "/../outside"), ("l/secret", b"bad")], id="write through an absolute link"),
        pytest.param(
            [("a/b", None), _symlink("a/b/c", "/"), _symlink("a/b/c/d", "../../outside"), ("d/secret", b"bad")],
            id="a link that is less deep than its name",
        ),
        pytest.param(
            [_symlink("x", "."), _symlink("y", "x/x/x/../outside"), ("y/secret", b"bad")], id="dots behind links"
        ),
        pytest.param([_symlink("l", "../outside/secret"), ("l", b"mine")], id="replace a link"),
        pytest.param([_symlink("l", "../outside"), ("l/.wh.secret", b"")], id="hide through a link"),
        pytest.param([_symlink("l", "../outside"), ("l/.wh..wh..opq", b"")], id="empty through a link"),
    ],
)
def test_whatever_links_say_everything_lands_inside(root, layer, entries):
    _apply(root, layer(*entries))
    assert _tree(root.parent / "outside") == {"secret": "secret"}
    real = root.resolve()
    for path in root.rglob("*"):
        assert path.resolve().is_relative_to(real)


def test_an_absolute_link_means_the_images_own_file(root, layer):
    _apply(
        root,
        layer(("etc/alternatives/py", b"python"), ("usr/bin", None), _symlink("usr/bin/py", "/etc/alternatives/py")),
    )
    assert (root / "usr" / "bin" / "py").read_text() == "python"


def test_a_directory_under_a_linked_parent_lands_where_the_link_points(root, layer):
    _apply(root, layer(("usr/lib", None), _symlink("lib", "usr/lib")), layer(("lib/x.so", b"so")))
    assert _tree(root) == {"lib": "-> usr/lib", "usr/lib/x.so": "so"}


def test_modes_keep_execution_and_lose_set_user_id(root, layer):
    _apply(root, layer(_info("s", tarfile.REGTYPE, mode=0o6777), _info("n", tarfile.REGTYPE, mode=0)))
    assert (root / "s").stat().st_mode & 0o7777 == 0o755
    assert (root / "n").stat().st_mode & 0o7777 == 0o400


def test_devices_and_pipes_are_left_out(root, layer):
    writer = _apply(root, layer(_info("null", tarfile.CHRTYPE), _info("pipe", tarfile.FIFOTYPE), ("x", b"x")))
    assert _tree(root) == {"x": "x"}
    assert writer.skipped == 2


@pytest.mark.parametrize(
    ("limits", "count", "size"),
    [(UnpackLimits(bytes=1000), 3, 400), (UnpackLimits(entries=2), 3, 1)],
    ids=["bytes", "entries"],
)
def test_limits_hold_for_all_layers_together(root, layer, limits, count, size):
    layers = [layer((f"f{n}", b"x" * size)) for n in range(count)]
    with pytest.raises(ImageError, match="more than"):
        _apply(root, *layers, limits=limits)


def test_zeros_behind_the_archive_are_bounded_too(root):
    bomb = io.BytesIO(gzip.compress(b"\0" * 20_000_000))
    with pytest.raises(ImageError, match="too large"):
        _apply(root, bomb, limits=UnpackLimits(bytes=1000, entries=10))


@pytest.mark.parametrize("cut", [3, 20, -20])
def test_a_broken_layer_is_refused(root, layer, cut):
    with pytest.raises(ImageError, match="broken"):
        _apply(root, io.BytesIO(layer(("a", os.urandom(5000))).getvalue()[:cut]))


def test_content_that_is_not_what_the_config_says_is_refused(root, layer):
    with pytest.raises(ImageError, match="but the config says"):
        LayerWriter(root).apply(layer(("a", b"a")), diff_id="sha256:" + "0" * 64)
