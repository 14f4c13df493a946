# Every target sets up what it needs by itself, in .venv at the root of the repository.
#
#   make demo     the whole chain on an example market: set-up included, a few minutes at the first run
#   make test     everything that must hold before a change goes in
#   make help     the other targets

VENV := .venv
BIN := $(VENV)/bin
PYTHON_ROOMS := zkmargin margin algebra circuits argument attestation prover venue evidence verifier client cli
CHECKED := $(PYTHON_ROOMS) tests benchmarks examples

CARGO := $(shell command -v cargo 2>/dev/null)
CARGO_INPUTS := native/Cargo.toml native/Cargo.lock $(wildcard native/*.rs native/src/*.rs native/src/*/*.rs)
# The unit tests of the crate are a program of their own and link libpython, which an extension must not.
CARGO_TESTS := --manifest-path native/Cargo.toml --locked --no-default-features --all-targets
PYTHON_LIBRARY = $(shell $(BIN)/python -c 'import sysconfig; print(sysconfig.get_config_var("LIBDIR"))')
CARGO_ENVIRONMENT = PYO3_PYTHON="$(CURDIR)/$(BIN)/python" LD_LIBRARY_PATH="$(PYTHON_LIBRARY):$$LD_LIBRARY_PATH"

.DELETE_ON_ERROR:
.PHONY: help demo demo-portable demo-evidence test lint rust types fuzz load endure bench native readme lock clean

help:
	@echo "make demo     build an example snapshot, margin a portfolio, prove it solvent and verify the proof"
	@echo "make demo-portable"
	@echo "              an oracle, two venues, a lender's service and a trader on this machine"
	@echo "make demo-evidence"
	@echo "              holdings from a chain, a custodian and an auditor, and a policy that grades them"
	@echo "make test     lint, types, Rust and Python tests with coverage, documentation examples"
	@echo "make lint     the checks of make test that run no test"
	@echo "make fuzz     the long randomised tests"
	@echo "make bench    measure proving, verifying and margining; prints a table and writes JSON"
	@echo "make load     load a service on this machine, and report throughput, latencies and errors"
	@echo "make endure   ask a service 100,000 times, and watch the memory of its workers"
	@echo "make native   rebuild the native extension"
	@echo "make readme   put what the commands say now into the README's examples"
	@echo "make lock     resolve the dependencies again and write requirements/"
	@echo "make clean    remove everything that was built, .venv included"

# --- set-up -----------------------------------------------------------------------------------------------------

$(VENV)/.dependencies: requirements/build.txt requirements/runtime.txt .ci/venv
	@.ci/venv $(VENV)
	@echo "zkmargin: installing the locked dependencies"
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes \
	    -r requirements/build.txt -r requirements/runtime.txt
	@touch $@

$(VENV)/.installed: $(VENV)/.dependencies pyproject.toml $(CARGO_INPUTS)
	@$(if $(CARGO),echo "zkmargin: building the native extension",:)
	@$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@$(BIN)/python -c 'import zkmargin._native' 2>/dev/null || echo "zkmargin: $(if $(CARGO),the native extension \
	did not build,cargo was not found) and the reference backend is used: everything works, slowly"
	@touch $@

$(VENV)/.development: requirements/dev.txt $(VENV)/.dependencies | $(VENV)/.installed
	@.ci/venv $(VENV) tests
	@echo "zkmargin: installing the locked dependencies of the tests"
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@touch $@

# --- targets ----------------------------------------------------------------------------------------------------

demo: $(VENV)/.installed
	@$(BIN)/zkmargin demo

demo-portable: $(VENV)/.installed
	@$(BIN)/zkmargin demo-portable

demo-evidence: $(VENV)/.installed verifier/contract/node_modules
	@$(BIN)/python -c 'import ccxt, trie' 2>/dev/null || \
	    { echo "zkmargin: install the extra: $(BIN)/python -m pip install -e '.[evidence]'"; exit 2; }
	@$(BIN)/zkmargin demo-evidence

verifier/contract/node_modules: verifier/contract/package-lock.json
	@npm ci --prefix verifier/contract --no-audit --no-fund
	@touch $@

# Without the native extension its side of the code cannot be covered.
test: lint rust
	$(BIN)/python -m pytest --cov $(if $(CARGO),,--cov-fail-under=0)

lint: $(VENV)/.development types
	$(BIN)/ruff check $(wildcard $(CHECKED))
	$(BIN)/ruff format --check $(wildcard $(CHECKED))

types: $(VENV)/.development
	$(BIN)/mypy zkmargin $(foreach room,tests benchmarks,$(if $(wildcard $(room)/*.py $(room)/*/*.py),$(room)))

ifdef CARGO
rust: $(VENV)/.development
	cargo fmt --manifest-path native/Cargo.toml --check
	$(CARGO_ENVIRONMENT) cargo clippy -q $(CARGO_TESTS) -- -D warnings
	$(CARGO_ENVIRONMENT) cargo test -q $(CARGO_TESTS)
else
rust:
	@echo "zkmargin: cargo was not found; the checks of the native extension are left out"
endif

fuzz: $(VENV)/.development
	$(BIN)/python -m pytest -m fuzz

load: $(VENV)/.development
	$(BIN)/python -m benchmarks.service

endure: $(VENV)/.development
	$(BIN)/python -m benchmarks.endurance

bench: $(VENV)/.development
	$(BIN)/python -m benchmarks

native: $(VENV)/.dependencies
	@rm -f $(VENV)/.installed
	@$(MAKE) --no-print-directory $(VENV)/.installed

PIP_COMPILE := $(VENV)/bin/pip-compile -q --upgrade --generate-hashes --allow-unsafe --strip-extras --no-header \
    --annotation-style=line --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --no-emit-options

readme: $(VENV)/.development
	@rm -rf build/readme && mkdir -p build/readme
	$(BIN)/python tests/test_readme.py build/readme

lock: $(VENV)/.development
	@$(BIN)/python -m pip install -q --disable-pip-version-check pip-tools
	$(PIP_COMPILE) --build-deps-for editable --only-build-deps -o requirements/build.txt pyproject.toml
	$(PIP_COMPILE) --extra service -o requirements/runtime.txt pyproject.toml
	$(PIP_COMPILE) --extra dev --extra service --extra evidence -c requirements/runtime.txt -o requirements/dev.txt pyproject.toml
	cargo update --manifest-path native/Cargo.toml

clean:
	rm -rf $(VENV) build dist native/target zkmargin/*.so *.egg-info .coverage htmlcov \
	    .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
