"""``python -m mlops_nb``: the same as the command ``mlops-nb``."""

from mlops_nb.cli.main import main

if __name__ == "__main__":
    main()
