# A thin cover of `python3 -m config.local COMMAND`, which also works without make.
# More arguments: make test ARGS="-k healthz"
PYTHON ?= python3
ARGS ?=

.PHONY: install demo up test lint bench compat bench-large
install demo up test lint bench compat:
	@exec $(PYTHON) -m config.local --ends-with-parent $@ $(ARGS)

# Ten million stored events: made once, kept for the next run.
bench-large:
	@exec $(PYTHON) -m config.local --ends-with-parent bench --large $(ARGS)
