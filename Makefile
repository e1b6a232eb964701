# `make` lists what there is to do.

.DEFAULT_GOAL := help
.PHONY: help test lint format-check clippy docs demo fmt ci compiler

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-6s %s\n", $$1, $$2 }' Makefile

test: compiler ## run all tests; TEST_ARGS is handed on
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
	@command -v cc >/dev/null && exit; \
	if [ "$$(id -u)" = 0 ]; then as_root=; else as_root=sudo; fi; \
	for tool in apt-get $$as_root; do \
		command -v $$tool >/dev/null && continue; \
		echo "there is no C compiler (cc), and no $$tool to install gcc with; install one" >&2; \
		exit 1; \
	done; \
	echo "there is no C compiler (cc); installing gcc with apt-get"; \
	$$as_root apt-get update -q && $$as_root apt-get install -qy --no-install-recommends gcc libc6-dev
