# The two commands are `make book` and `make test`. Both set up .venv first.
# Another Python:            make book PYTHON=python3.12
# The small CPU build of torch on Linux: see "Install without make" in the README.

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready

# one thread a library: the same digits on every machine, and fair timings
export OMP_NUM_THREADS = 1
export OPENBLAS_NUM_THREADS = 1
export MKL_NUM_THREADS = 1
export POLARS_MAX_THREADS = 1

.PHONY: help book test lab bench export execute student lock lint clean

help:
	@echo "make book      build the book: _build/html/index.html"
	@echo "make test      run every lab and every test (STEM=drift for one stage)"
	@echo "make lab       open JupyterLab on your own copy of the labs, in work/"
	@echo "make bench     time the pieces beside their peers (STEM=drift for one stage)"
	@echo "for maintainers:"
	@echo "make export    write labs/flightline/ from the labs"
	@echo "make execute   export, then run the labs and store their outputs (LAB=drift for one)"
	@echo "make student   write the student edition to _build/student/"
	@echo "make lint      ruff, mypy and codespell alone"
	@echo "make lock      renew requirements.txt and constraints.txt (KEEP=1 keeps the pins)"
	@echo "make clean     remove what was built; work/ and .venv stay"

$(READY): requirements.txt constraints.txt
	@$(PYTHON) -c 'import sys; v = sys.version_info; v >= (3, 11, 5) or sys.exit("The course needs Python 3.11.5 or newer. This is %d.%d.%d. Try: make book PYTHON=python3.12" % v[:3])'
	@echo "Setting up .venv: about 310 packages, a few minutes, once."
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --progress-bar=on -r requirements.txt -c constraints.txt
	@touch $@

book: $(READY)
	$(BIN)/jupyter-book build . -W -n --keep-going
	@echo "Open _build/html/index.html in a browser."

test: $(READY)
	$(BIN)/python -m pytest -n 2 --dist loadgroup --no-loadscope-reorder $(if $(STEM),--stem $(STEM))

lab: $(READY)
	$(BIN)/python -m tools.labs.lab

bench: $(READY)
	$(BIN)/python -m pytest -p no:cacheprovider -o addopts= -s tests/$(or $(STEM),*)/bench

export: $(READY)
	$(BIN)/python -m tools.labs.export

execute: export
	$(BIN)/python -m tools.labs.execute $(if $(filter-out undefined,$(origin LAB)),'$(LAB)')

student: $(READY)
	$(BIN)/python -m tools.labs.student _build/student

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/codespell

lock: $(READY)
	$(BIN)/python -m tools.lock $(if $(KEEP),--keep)

clean:
	rm -rf _build .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find labs tools tests data book -name __pycache__ -prune -exec rm -rf {} +
