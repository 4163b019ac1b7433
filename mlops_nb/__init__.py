"""MLOps where the notebook lives: the public verbs, each loaded when it is first used."""
