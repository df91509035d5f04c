# Two commands do everything on a fresh machine: `make demo` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation

.PHONY: demo test unit check bench promises test-cluster kubectl mutants profile clean
.DEFAULT_GOAL := help

help:
	@sed -n 's/^## //p' $(MAKEFILE_LIST)

# A stamp holds the digest of what was installed: any directory state ends in the same environment.
$(VENV)/.run: requirements/run.txt pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing lambent into $(VENV) (once)"
	@$(PIP) --require-hashes --requirement requirements/run.txt
	@$(PIP) --no-deps --editable .
	@$(BIN)/python -m compileall -q src  # as pip does with what it copies: each start is 0.1 s shorter
	@touch $@

$(VENV)/.dev: $(VENV)/.run requirements/dev.txt
	@echo "installing the test tools into $(VENV) (once)"
	@$(PIP) --require-hashes --requirement requirements/dev.txt
	@touch $@

## make demo          from nothing to an invoked function
demo: $(VENV)/.run
	@$(BIN)/lambent demo

## make test          everything that must pass: check, unit, conformance, end to end
test: check
	@$(BIN)/python -m pytest -q

## make unit          the core's tests only
unit: $(VENV)/.dev
	@$(BIN)/python -m pytest -q -m "not e2e and not real_k8s"

## make check         format, lint, types, import contracts
check: $(VENV)/.dev
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

## make test-cluster  the controllers on the cluster that KUBECONFIG names
test-cluster: $(VENV)/.dev
	@test -n "$$KUBECONFIG" || { echo "KUBECONFIG is not set: make test-cluster needs the file of a cluster" >&2; exit 2; }
	@$(BIN)/python -m pytest -q -p no:randomly -m real_k8s tests/cluster

## make kubectl       the kubectl minors that `make test` wants and this machine lacks, built with go (minutes)
kubectl:
	@$(PYTHON) -m tests.kubeserver.kubectl_build

## make bench         the benchmarks, as JSON
bench: $(VENV)/.dev
	@$(BIN)/python -m benchmarks

## make promises      PROMISES.md, line by line, with what was measured
promises: $(VENV)/.dev
	@$(BIN)/python -m benchmarks.promises

## make mutants       how many small wrong changes of comparison, overlays, outcomes and patches the tests notice
mutants: $(VENV)/.dev
	@$(BIN)/python -m tests.mutation

## make profile       sizes of files and functions, the outliers first
profile: $(VENV)/.dev
	@$(BIN)/python -m benchmarks.profile

## make clean         removes what the targets made
clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .lambent src/lambent.egg-info
