"""Builds the kubectl minors that the tests want and this machine lacks: `make kubectl`.

    python -m tests.kubeserver.kubectl_build [RELEASE ...]    the releases named, else one of each missing minor

Each is a module of one file, whose main calls the entry point that `k8s.io/kubectl` documents, built by the `go` on
PATH. A release fixes the versions of all it needs (its go.mod), and go checks every module against the checksum
database. Takes some minutes and about 2 GB of go's own caches the first time; runs at the lowest priority. Never part
of `make test`. Standard library only.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.kubeserver.kubectl_programs import RELEASES, cache, minor_of, programs

MAIN = """package main

import (
	_ "k8s.io/client-go/plugin/pkg/client/auth"
	"k8s.io/component-base/cli"
	"k8s.io/kubectl/pkg/cmd"
	"k8s.io/kubectl/pkg/cmd/util"
)

func main() {
	if err := cli.RunNoErrOutput(cmd.NewDefaultKubectlCommand()); err != nil {
		util.CheckErr(err)
	}
}
"""
VERSION = "k8s.io/component-base/version"


def build(release: str) -> Path:
    """Builds one release into the cache folder and gives the program's path; CalledProcessError tells what go said."""
    program = cache() / release / "kubectl"
    library = "v0" + release.removeprefix("1")
    major, minor = release.split(".")[:2]
    stamps = {"gitVersion": f"v{release}", "gitMajor": major, "gitMinor": minor, "gitTreeState": "clean"}
    flags = " ".join(["-s -w", *(f"-X {VERSION}.{name}={value}" for name, value in stamps.items())])
    with tempfile.TemporaryDirectory() as folder:
        module = Path(folder)
        (module / "go.mod").write_text(f"module kubectl\n\ngo 1.22\n\nrequire k8s.io/kubectl {library}\n")
        (module / "main.go").write_text(MAIN)
        built = module / "kubectl"
        words = ["nice", "-n", "19", "go", "build", "-trimpath", "-ldflags", flags, "-o", str(built), "."]
        subprocess.run(words, cwd=module, env={**os.environ, "GOFLAGS": "-mod=mod", "CGO_ENABLED": "0"}, check=True)
        program.parent.mkdir(parents=True, exist_ok=True)
        beside = program.with_name("kubectl.new")
        shutil.copy2(built, beside)
        beside.replace(program)  # a run that is broken off leaves no half program
    return program


def main(words: list[str]) -> int:
    if not shutil.which("go"):
        print("MISSING go: kubectl is built with it", file=sys.stderr)
        return 1
    strange = [word for word in words if not re.fullmatch(r"1\.\d+\.\d+", word)]
    if strange:
        print(f"not a release such as {RELEASES[-1]}: {', '.join(strange)}", file=sys.stderr)
        return 2
    for release in words or [release for release in RELEASES if minor_of(release) not in programs()]:
        print(f"building kubectl {release}", flush=True)
        try:
            print(build(release))
        except subprocess.CalledProcessError as error:
            print(f"go could not build it (exit code {error.returncode}); what it says stands above", file=sys.stderr)
            return 1
    programs.cache_clear()
    for minor, path in programs().items():
        print(f"kubectl {minor}  {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
