# A thin cover of `python3 -m config.local COMMAND`, which also works without make.
# More arguments: make test ARGS="-k healthz"
PYTHON ?= python3
ARGS ?=

.PHONY: install demo up test lint bench
install demo up test lint bench:
	@exec $(PYTHON) -m config.local --ends-with-parent $@ $(ARGS)
