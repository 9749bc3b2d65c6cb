# `make run` does the main job, `make test` checks everything. Both install what they need in .venv.
PYTHON ?= python3
BIN := .venv/bin
EXTRAS := --extra learn --extra check --extra heic --extra pdf --extra serve --extra ray --extra excel \
  --extra tensorboard
# The tests that hold the dependencies' floors: they use every package that a user installs.
LOWEST ?= tests/reading tests/images tests/bulk tests/serving tests/cli tests/test_files.py \
  tests/learning/datasets tests/learning/evaluation tests/learning/models tests/learning/classifiers

.PHONY: run test test-slow test-lowest bench check docs format pins clean

run: .venv/learn.stamp
	$(BIN)/inkdigit compare --networks classic lenet5

test: check
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile -m 'not slow'

# What takes longer: whole trainings, kills, the notebook, the assignment, the site.
test-slow: .venv/dev.stamp
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile -m slow

# With the oldest release of each dependency that pyproject.toml allows. Needs uv: pip install uv
test-lowest:
	uv venv --quiet --clear --python 3.11 .venv-lowest
	uv pip compile --quiet --no-deps --resolution lowest-direct --prerelease disallow --python-version 3.11 \
	  $(EXTRAS) pyproject.toml --output-file .venv-lowest/floors.txt
	uv pip install --quiet --python .venv-lowest --constraint .venv-lowest/floors.txt \
	  --requirement requirements-tools.txt --editable '.[learn,check,heic,pdf,serve,ray,excel,tensorboard]'
	.venv-lowest/bin/python -m pytest --numprocesses 2 --dist loadfile $(LOWEST)

check: .venv/dev.stamp
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# The documents as a site, in build/site. Open build/site/docs/index.html.
docs: .venv/dev.stamp
	$(BIN)/sphinx-build --quiet --fail-on-warning --keep-going --conf-dir docs . build/site

# Inkdigit beside its rivals. train_mnist_fast needs a Python with PyTorch: make bench TORCH_PYTHON=PATH
bench: .venv/learn.stamp
	mkdir -p runs/benchmarks
	$(BIN)/python -m benchmarks fast --brief --out runs/benchmarks/fast.csv $(if $(TORCH_PYTHON),--torch-python $(TORCH_PYTHON))
	$(BIN)/python -m benchmarks inference --parts fast keras.io --out runs/benchmarks/inference.csv

format: .venv/dev.stamp
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# One set of pins for every supported Python and platform, without the address of an index. Needs uv.
pins:
	uv pip compile --universal --python-version 3.11 --no-header --no-annotate --upgrade --no-emit-package inkdigit \
	  --extra notebook $(EXTRAS) pyproject.toml requirements-tools.txt --output-file requirements-pins.txt

clean:
	rm -rf .venv .venv-lowest build runs

.venv/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14) and "Inkdigit needs Python 3.11 to 3.13: make PYTHON=python3.12")'
	$(PYTHON) -m venv .venv

.venv/learn.stamp: .venv/bin/python requirements-pins.txt pyproject.toml
	$(BIN)/pip install --quiet --constraint requirements-pins.txt --editable '.[learn]'
	touch $@

.venv/dev.stamp: .venv/bin/python requirements-dev.txt requirements-tools.txt requirements-pins.txt pyproject.toml
	$(BIN)/pip install --quiet --requirement requirements-dev.txt
	touch $@ .venv/learn.stamp
