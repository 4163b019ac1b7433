"""Identity of data: fingerprints and snapshots of frames and arrays."""
