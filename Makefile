# Two commands matter: `make run` opens the window on the sample data, `make test` runs every check.

CARGO ?= cargo
SAMPLE ?= sample-data/flights.outcrop
PICTURE ?= target/outcrop.png

.PHONY: run test package help

run:  ## build in release and open the window on the sample data (without a display: render it to a PNG)
	@sh packaging/install-deps.sh run
	$(CARGO) build --release --locked
	@sh packaging/open-sample.sh target/release/outcrop "$(SAMPLE)" "$(PICTURE)"

test:  ## format, lints, licences and every test, those of the window included
	@sh packaging/install-deps.sh test
	$(CARGO) fmt --check
	$(CARGO) clippy --locked --all-targets -- -D warnings
	$(CARGO) test --locked
	@if $(CARGO) deny --version >/dev/null 2>&1; then $(CARGO) deny --offline check licenses bans; fi

package:  ## build what a release ships: a .deb and a .tar.gz in target/package
	sh packaging/package.sh

help:  ## list the targets
	@sed -n 's/^\([a-z]*\):.*## */  make \1 — /p' Makefile
