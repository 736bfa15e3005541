"""Benchmarks that anyone can run: `make bench`. Nothing of the product imports this package."""
