"""The door in Jupyter Server: routes for the panel."""
