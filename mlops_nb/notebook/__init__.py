"""Reads and writes ``.ipynb`` files; never executes them."""
