"""A small workflow with its functions and tests, as files, and a way to run a command on them."""

import json
import shlex
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from lambent.cli.main import main

FUNCTIONS = """\
apiVersion: koreo.dev/v1beta1
kind: ValueFunction
metadata: {name: naming, namespace: shop}
spec:
  return:
    name: ="shop-" + inputs.name   # stable
---
apiVersion: koreo.dev/v1beta1
kind: ResourceFunction
metadata: {name: shelf, namespace: shop}
spec:
  apiConfig:
    apiVersion: example.org/v1
    kind: Shelf
    name: =inputs.name
    namespace: shop
  resource:
    spec: {boards: =inputs.boards}
  overlays:
    - overlay: {spec: {colour: red}}
  postconditions:
    - assert: =has(resource.status.ready) && resource.status.ready
      retry: {message: the shelf is not ready, delay: 5}
  return:
    colour: =resource.spec.colour
"""

WORKFLOW = """\
apiVersion: koreo.dev/v1beta1
kind: Workflow
metadata: {name: shops, namespace: shop}
spec:
  crdRef: {apiGroup: example.org, version: v1, kind: Shop}
  steps:
    - label: naming
      ref: {kind: ValueFunction, name: naming}
      inputs: {name: =parent.spec.name}
    - label: shelf
      ref: {kind: ResourceFunction, name: shelf}
      condition: {type: Shelf, name: The shelf}
      inputs: {name: =steps.naming.name, boards: =parent.spec.boards}
      state: {colour: =value.colour}
"""

TESTS = """\
apiVersion: koreo.dev/v1beta1
kind: FunctionTest
metadata: {name: naming-test, namespace: shop}
spec:
  functionRef: {kind: ValueFunction, name: naming}
  inputs: {name: a}
  testCases:
    - label: a prefix   # why: names are shared
      expectReturn:
        name: shop-a    # as agreed
---
apiVersion: koreo.dev/v1beta1
kind: FunctionTest
metadata: {name: shelf-test, namespace: shop}
spec:
  functionRef: {kind: ResourceFunction, name: shelf}
  inputs: {name: shop-a, boards: 3}
  testCases:
    - label: made
      expectResource:
        apiVersion: example.org/v1
        kind: Shelf
        metadata: {name: shop-a, namespace: shop}
        spec: {boards: 3, colour: red}
    - label: waits
      expectOutcome: {retry: {message: not ready, delay: 5}}
"""

PARENT = """\
apiVersion: example.org/v1
kind: Shop
metadata: {name: corner, namespace: shop, uid: 11111111-2222-3333-4444-555555555555}
spec: {name: a, boards: 3}
"""

SHELF = """\
apiVersion: example.org/v1
kind: Shelf
metadata: {name: shop-a, namespace: shop}
spec: {boards: 2, colour: red}
status: {ready: true}
"""

CRD = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: shelves.example.org}
spec:
  group: example.org
  scope: Namespaced
  names: {kind: Shelf, plural: shelves, singular: shelf, listKind: ShelfList}
  versions:
    - name: v1
      served: true
      storage: true
      schema:
        openAPIV3Schema:
          type: object
          properties:
            spec:
              type: object
              properties:
                boards: {type: integer, maximum: 9}
                colour: {type: string}
"""


class Shop:
    """The files in a folder; `files` is the folder of the documents."""

    def __init__(self, folder: Path) -> None:
        self.files = folder / "docs"
        self.files.mkdir()
        for name, text in (("functions.k.yaml", FUNCTIONS), ("workflow.k.yaml", WORKFLOW), ("tests.k.yaml", TESTS)):
            (self.files / name).write_text(text)
        self.parent = folder / "parent.yaml"
        self.parent.write_text(PARENT)
        self.live = folder / "live"
        self.live.mkdir()
        self.folder = folder

    def edit(self, name: str, old: str, new: str) -> None:
        """Replaces a text that must be there once."""
        text = (self.files / name).read_text()
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {name}"
        (self.files / name).write_text(text.replace(old, new))

    def read(self, name: str) -> str:
        return (self.files / name).read_text()


class Ran(NamedTuple):
    """What a command came to."""

    code: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        return json.loads(self.out)


class Commands:
    """Runs commands in this process."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, command: str) -> Ran:
        self._capsys.readouterr()
        try:
            code = main(shlex.split(command))
        except SystemExit as stop:
            code = int(stop.code or 0)
        printed = self._capsys.readouterr()
        return Ran(code, printed.out, printed.err)
