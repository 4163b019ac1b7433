"""Registered models: versions, aliases, flavors, signatures, lineage."""
