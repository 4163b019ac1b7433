"""The door in the shell: ``mlops-nb``."""
