"""What Inkdigit is worth, measured: `python -m benchmarks PART` measures one part of it."""
