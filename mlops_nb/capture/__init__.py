"""Readers of the present moment: processor, packages, git, seeds, process.

They observe and return records; they never write.
"""
