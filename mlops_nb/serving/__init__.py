"""Answers predictions of a registered model over HTTP."""
