"""The door inside a running kernel: hooks that record, magics that ask, cards that answer."""
