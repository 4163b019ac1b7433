"""The Jupyter Server extension: routes for the panel, thin over the verbs of `mlops_nb.api`."""
