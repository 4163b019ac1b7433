"""The door in IPython: extension, guarded hooks, magics, cards."""
