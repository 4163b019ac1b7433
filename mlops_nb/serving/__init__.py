"""Answers predictions of a registered model over HTTP."""

from mlops_nb.serving.server import ServerHandle, serve, start_in_background

__all__ = ["ServerHandle", "serve", "start_in_background"]
