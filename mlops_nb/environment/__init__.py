"""The environment document: what must be known to rebuild this environment."""
