# Each target calls one tool; `make setup` brings what they need. `make` lists them.
.DEFAULT_GOAL := help
.PHONY: help setup demo test check e2e conformance containers bench proto image

PYTEST := .venv/bin/pytest

help:  ## this list
	@sed -n 's/^\([a-z0-9]*\):.*## */  make \1\t/p' Makefile | expand -t 22

setup:  ## .venv from the lock file; Chromium, ffmpeg and fonts, found or installed
	@scripts/setup

demo: setup  ## render an example on a farm of two workers → out/demo.mp4
	@mkdir -p out
	.venv/bin/framefarm render examples/title-sequence -o out/demo.mp4 --workers 2 \
		--width 1280 --height 720 --fps 30 --duration 6s

test: setup  ## all tests but those that need a Docker engine
	$(PYTEST) -m "not containers"

e2e: setup  ## only the tests with real Chromium and ffmpeg
	$(PYTEST) tests/e2e

conformance: setup  ## what pages may lean on, by the ways to film that are not the first choice
	FRAMEFARM_CAPTURE=begin-frame-png $(PYTEST) tests/e2e/conformance
	FRAMEFARM_CAPTURE=screenshot $(PYTEST) tests/e2e/conformance -k "not minute"  # 1,800 take four

containers: setup  ## build the images and run a farm of containers (needs a Docker engine)
	$(PYTEST) tests/containers

bench: setup  ## measure pages and peers → benchmarks/results (BENCH=full: all, three times)
	@benchmarks/run $(BENCH)

check: setup  ## lint, format, types, generated code, links
	scripts/check

proto: setup  ## write the gRPC stubs anew after a change in protos/
	scripts/generate-protos

image:  ## the two images: framefarm-worker and framefarm-coordinator
	scripts/build-images
