"""Writes the OpenAPI document of the server routes to where the documentation keeps it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PLACE = ROOT / "docs" / "reference" / "openapi.json"


def main() -> None:
    """Write the document of this checkout, installed or not."""
    sys.path.insert(0, str(ROOT))
    from mlops_nb.server.openapi import build_document
    from mlops_nb.server.routes import DESCRIBED

    PLACE.write_text(json.dumps(build_document(DESCRIBED), indent=1) + "\n", encoding="utf-8")
    print(f"written: {PLACE.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
