# `make` lists what there is to do.

.DEFAULT_GOAL := help
.PHONY: help test lint format-check clippy docs demo fmt ci compiler clients

# What tests/clients drives. Each file has the time of an installation.
NODE_CLIENTS := tests/clients/node_modules/.installed
PYTHON_SDKS := target/clients/.installed

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-6s %s\n", $$1, $$2 }' Makefile

test: compiler clients ## run all tests; TEST_ARGS is handed on
	cargo test --workspace --locked --no-fail-fast $(TEST_ARGS)

lint: format-check clippy ## check the format and the lints

format-check:
	cargo fmt --all --check

clippy: compiler
	cargo clippy --workspace --all-targets --locked -- -D warnings

docs: compiler ## build the documentation of the crates
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked

demo: compiler ## a sample conversation against a built-in provider, in the terminal
	cargo run --release --locked -- demo

fmt: ## format all code
	cargo fmt --all

ci: ## all that a change has to pass
	.ci/run

# SQLite, ring and mimalloc are written in C.
compiler:
	@$(call provide,command -v cc,gcc libc6-dev)

# Tests of a client that cannot be installed skip themselves.
clients:
	@$(MAKE) -s $(NODE_CLIENTS) || echo "the clients from npm are not installed; their tests will be skipped" >&2
	@$(MAKE) -s $(PYTHON_SDKS) || echo "the Python SDKs are not installed; their tests will be skipped" >&2

$(NODE_CLIENTS): tests/clients/package-lock.json
	$(call provide,command -v npm,npm)
	npm ci --prefix tests/clients --loglevel error --no-audit --no-fund
	touch $@

$(PYTHON_SDKS): tests/clients/requirements.txt
	$(call provide,python3 -m ensurepip --version,python3-venv)
	python3 -m venv --clear target/clients
	target/clients/bin/pip install -q --disable-pip-version-check -r $< || { rm -r target/clients; exit 1; }
	touch $@

# Shell code that installs Debian packages ($2) where a command ($1) fails for want of them.
define provide
$1 >/dev/null 2>&1 && exit; \
if [ "$$(id -u)" = 0 ]; then as_root=; else as_root=sudo; fi; \
for tool in apt-get $$as_root; do \
	command -v $$tool >/dev/null && continue; \
	echo "there is no $$tool to install $2 with; install it" >&2; \
	exit 1; \
done; \
echo "installing $2 with apt-get"; \
$$as_root apt-get update -q && $$as_root apt-get install -qy --no-install-recommends $2
endef
