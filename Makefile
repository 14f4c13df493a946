# Every target sets up what it needs by itself, in .venv at the root of the repository.
#
#   make demo     the whole chain on an example market: set-up included, a few minutes at the first run
#   make test     everything that must hold before a change goes in
#   make help     the other targets

VENV := .venv
BIN := $(VENV)/bin
PYTHON_ROOMS := zkmargin margin algebra circuits argument attestation prover venue evidence verifier client planning cli
CHECKED := $(PYTHON_ROOMS) tests benchmarks examples vectors .ci

# An empty environment (env -i) works too: programs look for themselves on PATH, and rustup installs below HOME.
export PATH := $(or $(PATH),/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin)
export HOME := $(or $(HOME),$(shell getent passwd "$$(id -u)" | cut -d: -f6))
export PATH := $(PATH):$(HOME)/.cargo/bin

# Commands that the tests start load compiled modules, whatever the shell says.
unexport PYTHONDONTWRITEBYTECODE

CARGO := $(shell PATH="$(PATH)" command -v cargo 2>/dev/null)
CARGO_INPUTS := native/Cargo.toml native/Cargo.lock $(wildcard native/*.rs native/src/*.rs native/src/*/*.rs)
# The unit tests of the crate are a program of their own and link libpython, which an extension must not.
CARGO_TESTS := --manifest-path native/Cargo.toml --locked --no-default-features --all-targets
PYTHON_LIBRARY = $(shell $(BIN)/python -c 'import sysconfig; print(sysconfig.get_config_var("LIBDIR"))')
CARGO_ENVIRONMENT = PYO3_PYTHON="$(CURDIR)/$(BIN)/python" LD_LIBRARY_PATH="$(PYTHON_LIBRARY):$$LD_LIBRARY_PATH"

.DELETE_ON_ERROR:
.PHONY: docs help dev demo demo-portable demo-evidence test lint locked wheel packages npm web web-current vectors rust types fuzz mutants load endure bench native readme lock clean

help:
	@echo "make demo     build an example snapshot, margin a portfolio, prove it solvent and verify the proof"
	@echo "make demo-portable"
	@echo "              an oracle, two venues, a lender's service and a trader on this machine"
	@echo "make demo-evidence"
	@echo "              holdings from a chain, a custodian and an auditor, and a policy that grades them"
	@echo "make test     lint, types, Rust and Python tests with coverage, documentation examples"
	@echo "make lint     the checks of make test that run no test"
	@echo "make demo-evidence"
	@echo "              holdings from a chain, a custodian and an auditor, and a policy that grades them"
	@echo "make wheel    build a wheel and a source distribution in dist/"
	@echo "make packages install both into empty environments and use them there"
	@echo "make web      compile the TypeScript verifier, and put its page where the service has it"
	@echo "make vectors  write the test vectors again"
	@echo "make dev      everything that work on the code needs, in .venv, and how an editor finds it"
	@echo "make fuzz     the long randomised tests"
	@echo "make mutants  break every check of the verifier's rooms, one by one, and see that a test notices; hours"
	@echo "make bench    measure proving, verifying and margining; prints a table and writes JSON"
	@echo "make load     load a service on this machine, and report throughput, latencies and errors"
	@echo "make endure   ask a service 100,000 times, and watch the memory of its workers"
	@echo "make native   rebuild the native extension"
	@echo "make readme   put what the commands say now into the README's examples"
	@echo "make lock     resolve the dependencies again and write requirements/"
	@echo "make clean    remove everything that was built, .venv included"

# --- set-up -----------------------------------------------------------------------------------------------------

# Nothing is resolved, whatever pip the machine has: pip itself comes from a lock first, and then every lock is installed
# whole, as it stands. What a lock lacks is found by `pip check` and by .ci/locked.py, never by pip's own choice.
PIP := $(BIN)/python -m pip --disable-pip-version-check
INSTALL_LOCKED := $(PIP) install -q --no-deps --require-hashes

$(VENV)/.dependencies: requirements/pip.txt requirements/build.txt requirements/runtime.txt .ci/venv
	@.ci/venv $(VENV)
	@echo "zkmargin: installing the locked dependencies"
	@$(INSTALL_LOCKED) -r requirements/pip.txt
	@$(INSTALL_LOCKED) -r requirements/build.txt -r requirements/runtime.txt
	@touch $@

$(VENV)/.installed: $(VENV)/.dependencies pyproject.toml $(CARGO_INPUTS)
	@$(if $(CARGO),echo "zkmargin: building the native extension",:)
	@rm -f zkmargin/_native.cpython-*.so
	@$(PIP) install -qq --no-deps --no-build-isolation -e .
	@$(PIP) check -q
	@$(BIN)/python -c 'import zkmargin._native' 2>/dev/null || echo "zkmargin: $(if $(CARGO),the native extension \
	did not build,cargo was not found) and the reference backend is used: everything works, slowly"
	@touch $@

$(VENV)/.development: requirements/dev.txt $(VENV)/.dependencies | $(VENV)/.installed
	@.ci/venv $(VENV) tests
	@echo "zkmargin: installing the locked dependencies of the tests"
	@$(INSTALL_LOCKED) -r requirements/dev.txt
	@touch $@

# Rooms of JavaScript, where there are any: each has its own lock, which npm installs as it stands.
NPM_LOCKS := $(wildcard verifier/web/package-lock.json verifier/contract/package-lock.json)
NPM_ROOMS := $(patsubst %/package-lock.json,%,$(NPM_LOCKS))

%/node_modules/.installed: %/package-lock.json | $(VENV)/.development
	@echo "zkmargin: installing the locked packages of $*"
	@cd $* && npm ci --silent --no-audit --no-fund
	@touch $@

# --- targets ----------------------------------------------------------------------------------------------------

dev: $(VENV)/.development $(addsuffix /node_modules/.installed,$(NPM_ROOMS))
	@echo "zkmargin: ready. An editor finds the package as zkmargin/ in this folder; its interpreter is $(BIN)/python,"
	@echo "zkmargin: which has pytest, mypy and ruff. make lint and make test are what a change must pass."

demo: $(VENV)/.installed
	@$(BIN)/zkmargin demo

demo-portable: $(VENV)/.installed
	@$(BIN)/zkmargin demo-portable

demo-evidence: $(VENV)/.development verifier/contract/node_modules/.installed
	@$(BIN)/zkmargin demo-evidence

# On all cores. Each worker has servers, ports and databases of its own; neighbours stay together as long as there is work
# for everybody, so that what a module sets up is set up once.
AT_ONCE := -n auto --dist worksteal

# Without the native extension its side of the code cannot be covered.
test: locked lint rust npm web-current docs packages
	$(BIN)/python -m pytest $(AT_ONCE) --cov $(if $(CARGO),,--cov-fail-under=0)

# The environment is the locked one: no version is newer, nothing is missing, nothing else is installed.
locked: $(VENV)/.development
	$(PIP) check
	$(BIN)/python .ci/locked.py $(LOCKS)

lint: $(VENV)/.development types
	$(BIN)/ruff check $(wildcard $(CHECKED))
	$(BIN)/ruff format --check $(wildcard $(CHECKED))

types: $(VENV)/.development
	$(BIN)/mypy zkmargin .ci/locked.py $(foreach room,tests benchmarks vectors,$(if $(wildcard $(room)/*.py $(room)/*/*.py),$(room)))

# A wheel for this platform and every Python from 3.11, and a source distribution, built from nothing that was built before.
wheel: $(VENV)/.dependencies
	@$(if $(CARGO),,echo "zkmargin: a wheel needs cargo to be built, and it was not found" >&2; exit 1)
	@rm -rf dist build/lib build/bdist.* *.egg-info
	@$(PIP) wheel -qq --no-deps --no-build-isolation -w dist .
	@$(BIN)/python -W ignore -c 'from setuptools.build_meta import build_sdist as build; build("dist")' >/dev/null 2>&1
	@rm -rf build/lib build/bdist.*
	@$(BIN)/python -m zipfile -l dist/*.whl | grep _native.abi3.so >/dev/null || \
	    { echo "zkmargin: the native extension did not build; see make native" >&2; exit 1; }
	@ls dist/*

ifdef CARGO
packages: $(VENV)/.development wheel
	$(BIN)/python -m pytest $(AT_ONCE) -m packaging tests/packaging
else
packages:
	@echo "zkmargin: cargo was not found; neither wheel nor source distribution is built and tried"
endif

# The tests of a room of JavaScript are the script "test" of its package.json.
npm: $(addsuffix /node_modules/.installed,$(NPM_ROOMS))
	@$(foreach room,$(NPM_ROOMS),npm --prefix $(room) test --silent --if-present &&) true

ifdef CARGO
rust: $(VENV)/.development
	cargo fmt --manifest-path native/Cargo.toml --check
	$(CARGO_ENVIRONMENT) cargo clippy -q $(CARGO_TESTS) -- -D warnings
	$(CARGO_ENVIRONMENT) cargo test -q $(CARGO_TESTS)
	$(CARGO_ENVIRONMENT) ZKMARGIN_KERNELS=portable cargo test -q $(CARGO_TESTS)
else
rust:
	@echo "zkmargin: cargo was not found; the checks of the native extension are left out"
endif

# The page is committed, so that the service has it without Node; here it must be what the sources make.
WEB := verifier/web
ifneq ($(shell PATH="$(PATH)" command -v npm),)
$(WEB)/dist/.compiled: $(WEB)/node_modules/.installed $(WEB)/tsconfig.json $(wildcard $(WEB)/src/*.ts)
	@rm -rf $(WEB)/dist && cd $(WEB) && node_modules/.bin/tsc -p .
	@touch $@

web: $(WEB)/dist/.compiled
	@cd $(WEB) && node build.mjs

web-current: $(WEB)/dist/.compiled
	@cd $(WEB) && node build.mjs --check
else
web web-current:
	@echo "zkmargin: npm was not found; the checks of the TypeScript verifier are left out"
endif

vectors: $(VENV)/.development
	$(BIN)/python -m vectors

mutants: $(VENV)/.development
	@$(BIN)/python -m tests.mutants.run $(ONLY)

fuzz: $(VENV)/.development
	$(BIN)/python -m pytest $(AT_ONCE) -m fuzz

load: $(VENV)/.development
	$(BIN)/python -m benchmarks.service

endure: $(VENV)/.development
	$(BIN)/python -m benchmarks.endurance

bench: $(VENV)/.development
	$(BIN)/python -m benchmarks

native: $(VENV)/.dependencies
	@rm -f $(VENV)/.installed
	@$(MAKE) --no-print-directory $(VENV)/.installed

# One resolution for every Python and platform that the project supports. Pins that still fit stay as they are;
# `make lock UPGRADE=--upgrade` moves all of them to the newest releases.
UPGRADE :=
RESOLVER := uv==0.13.9
RESOLVE = build/resolver/bin/uv pip compile -q --no-config --system-certs --universal --python-version 3.11 --generate-hashes \
    --no-header --annotation-style line $(UPGRADE)
LOCKS := $(foreach lock,pip build runtime dev,requirements/$(lock).txt)
BUILD_REQUIREMENTS = $(BIN)/python -c \
    'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["build-system"]["requires"], sep="\n")'

readme: $(VENV)/.development
	@rm -rf build/readme && mkdir -p build/readme
	$(BIN)/python tests/test_readme.py build/readme

docs: $(VENV)/.development
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build -q --strict

lock: $(VENV)/.dependencies
	@$(PIP) install -q --upgrade --target build/resolver $(RESOLVER)
	@echo pip | $(RESOLVE) -o requirements/pip.txt -
	@$(BUILD_REQUIREMENTS) | $(RESOLVE) -o requirements/build.txt -
	@$(RESOLVE) --extra all -o requirements/runtime.txt pyproject.toml
	@$(RESOLVE) --extra all --extra dev -c requirements/build.txt -c requirements/runtime.txt \
	    -o requirements/dev.txt pyproject.toml
	$(if $(UPGRADE),cargo update --manifest-path native/Cargo.toml,)

clean:
	rm -rf $(VENV) build dist native/target zkmargin/*.so *.egg-info .coverage htmlcov \
	    .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
