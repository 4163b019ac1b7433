"""The life of a run: the live run, the session of a kernel, its executed cells."""
