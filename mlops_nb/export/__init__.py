"""Writes a notebook as software that runs without a notebook."""
