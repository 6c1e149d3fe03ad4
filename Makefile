# make setup | demo | test | lint | bench | mutate | fuzz | bundle | help
# Needs Linux, GNU make, Python 3.11 with venv (Debian: python3.11 python3-venv) and, for `setup`, a package index.

PYTHON ?= $(shell for p in python3.11 python3; do $$p -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' \
	2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
STAMP := .venv/.setup
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet

.PHONY: setup demo test lint bench mutate fuzz bundle help
.DELETE_ON_ERROR:

help:  ## this list
	@sed -n 's/^\([a-z]*\):.*## /make \1\t/p' $(MAKEFILE_LIST)

setup: $(STAMP)  ## .venv with everything at the locked versions, and the models

$(STAMP): requirements/lock.txt requirements/lock-dev.txt requirements/lock-nodeps.txt pyproject.toml \
		facedouble/models/registry.py
	@test -x $(BIN)/python || test -n "$(PYTHON)" || { echo "Python 3.11 is needed: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(PIP) --require-hashes -r requirements/lock.txt -r requirements/lock-dev.txt
	$(PIP) --require-hashes --no-deps -r requirements/lock-nodeps.txt
	$(PIP) --no-deps --no-build-isolation --editable .
	$(BIN)/facedouble models install
	@touch $@

demo: setup  ## demo/before.mp4, after.mp4, sheet.jpg, after.audit.html
	$(BIN)/facedouble demo demo

lint: setup  ## ruff, mypy, import contracts
	$(BIN)/ruff check --quiet .
	$(BIN)/mypy --no-error-summary facedouble tests scripts $(wildcard bench)
	$(BIN)/lint-imports --no-logo

test: lint  ## lint and every test
	$(BIN)/python -m pytest

mutate: setup  ## the audit on trial: faults made on purpose; QUICK=1 for few
	$(BIN)/python bench/mutate/cases.py bench/out/mutate $(if $(QUICK),--no-speech)
	$(BIN)/python bench/mutate/cases.py bench/out/mutate-held-out --held-out $(if $(QUICK),--no-speech)
	$(BIN)/python bench/mutate/trial.py --films bench/out/mutate --held-out bench/out/mutate-held-out \
		--log bench/out/mutate.jsonl $(if $(QUICK),--quick)

fuzz: setup  ## 10,000 mutated media files through the decode child; QUICK=1 for 500
	$(BIN)/python bench/fuzz.py --count $(if $(QUICK),500 --strace 20,10000 --strace 60)

bundle: setup  ## dist/facedouble-bundle, to install without a network; installed once where there is none
	$(BIN)/python scripts/bundle.py dist/facedouble-bundle --check

bench: setup  ## figures into bench/; QUICK=1 for a short run
	$(BIN)/python bench/run.py $(if $(QUICK),--quick)
	$(BIN)/python bench/bottleneck.py $(if $(QUICK),--quick)
	$(BIN)/python bench/bursts.py $(if $(QUICK),--quick)
	$(BIN)/python bench/memory.py $(if $(QUICK),--quick)
	$(BIN)/python bench/motion.py
	$(BIN)/python bench/linkage.py
	$(BIN)/python bench/blends.py
	$(BIN)/python bench/sheets.py $(if $(QUICK),--quick)
	$(BIN)/python bench/composed.py $(if $(QUICK),--quick)
	$(BIN)/python bench/text.py $(if $(QUICK),--quick)
	$(BIN)/python bench/turned.py
	$(BIN)/python bench/people.py $(if $(QUICK),--quick)
	$(BIN)/python bench/film.py $(if $(QUICK),--quick)
	$(BIN)/python bench/voice.py $(if $(QUICK),--quick)
	$(BIN)/python bench/voice_casting.py limits
	$(BIN)/python bench/turns.py $(if $(QUICK),--pairs 1 --kinds shots,--numbers)
	$(BIN)/python bench/revoice.py $(if $(QUICK),--quick)
	$(BIN)/python bench/ambience.py $(if $(QUICK),--quick)
	$(BIN)/python bench/thresholds.py
	$(BIN)/python bench/thresholds_voice.py
	$(BIN)/python bench/parrot.py
	$(BIN)/python bench/audit_speed.py $(if $(QUICK),--quick)
	$(BIN)/python bench/project.py $(if $(QUICK),--quick)
	$(BIN)/python bench/flow.py
	$(BIN)/python bench/apart.py $(if $(QUICK),--quick)
	$(BIN)/python bench/speed.py $(if $(QUICK),--quick)
