"""Put the panel into the wheel where it is built or can be; never fail an installation for it."""

from __future__ import annotations

import importlib.util
import subprocess
from pathlib import Path
from types import ModuleType
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

HERE = Path(__file__).resolve().parent


def _load_builder() -> ModuleType:
    spec = importlib.util.spec_from_file_location("mlops_nb_panel_build", HERE / "build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class PanelBuildHook(BuildHookInterface):  # type: ignore[type-arg]
    """Builds the bundle if it is stale and ships it as shared data."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the bundle where possible and name the files of the panel.

        Parameters
        ----------
        version
            ``standard`` or ``editable`` for a wheel.
        build_data
            What hatchling puts into the archive.
        """
        builder = _load_builder()
        reason = ""
        try:
            builder.build()
        except builder.NodeMissingError as error:
            reason = str(error)
        except (subprocess.CalledProcessError, OSError) as error:
            reason = f"building it failed ({error})"
        if reason and builder.is_built():
            self.app.display_warning(
                f"mlops_nb: {reason}; the panel is shipped as it was built before."
            )
        elif reason:
            self.app.display_warning(
                f"mlops_nb: {reason}, so the JupyterLab panel is left out; everything else works. "
                f"Install Node.js >= {builder.OLDEST_NODE} and install mlops-nb again to get it."
            )
        if self.target_name == "wheel" and builder.is_built():
            build_data["shared_data"][str(builder.BUNDLE)] = builder.INSTALLED
            build_data["shared_data"][str(HERE / "install.json")] = (
                f"{builder.INSTALLED}/install.json"
            )
