# `make run` does the main job, `make test` checks everything; both set themselves up in .venv.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: run test bench check format pins clean

run: .venv/learn.stamp
	$(BIN)/inkdigit compare --networks classic lenet5

test: check
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile

check: .venv/dev.stamp
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# Beside their rivals; train_mnist_fast takes a Python with PyTorch: make bench TORCH_PYTHON=PATH
bench: .venv/learn.stamp
	mkdir -p runs/benchmarks
	$(BIN)/python -m benchmarks fast --brief --out runs/benchmarks/fast.csv $(if $(TORCH_PYTHON),--torch-python $(TORCH_PYTHON))
	$(BIN)/python -m benchmarks inference --parts fast keras.io --out runs/benchmarks/inference.csv

format: .venv/dev.stamp
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# One set of pins holds for every supported Python and platform; no index address is written.
pins:
	uv pip compile --universal --python-version 3.11 --no-header --no-annotate --upgrade --no-emit-package inkdigit \
	  --extra notebook --extra check --extra pdf --extra serve --extra ray pyproject.toml requirements-dev.txt --output-file requirements-pins.txt

clean:
	rm -rf .venv runs

.venv/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14) and "Inkdigit needs Python 3.11 to 3.13: make PYTHON=python3.12")'
	$(PYTHON) -m venv .venv

.venv/learn.stamp: .venv/bin/python requirements-pins.txt pyproject.toml
	$(BIN)/pip install --quiet --constraint requirements-pins.txt --editable '.[learn]'
	touch $@

.venv/dev.stamp: .venv/bin/python requirements-dev.txt requirements-pins.txt pyproject.toml
	$(BIN)/pip install --quiet --requirement requirements-dev.txt
	touch $@ .venv/learn.stamp
