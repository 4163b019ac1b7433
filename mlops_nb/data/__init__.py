"""Identity of data over all of its values, and snapshots that read back exactly."""

from mlops_nb.data.fingerprint import fingerprint
from mlops_nb.data.snapshot import load_frame, store_frame

__all__ = ["fingerprint", "load_frame", "store_frame"]
