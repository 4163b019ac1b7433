"""A loaded model with its signature: request bodies in, answers out."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mlops_nb import registry
from mlops_nb.errors import InvalidValueError, PredictionError, RequestError
from mlops_nb.records import FieldSignature, ModelVersion
from mlops_nb.serving.checking import CheckedInputs, InputChecker
from mlops_nb.serving.decoding import decode_rows

if TYPE_CHECKING:
    from mlops_nb.store import Store

_log = logging.getLogger("mlops_nb.serving")
_LOOSE = ("string", "text", "any")
"""Types whose values only the model itself can refuse."""


class Predictor:
    """A model that answers requests.

    Parameters
    ----------
    model
        The loaded model.
    version
        Its version record; the signature in it is what requests are checked against.
    alias
        The alias it was asked for by, for the answers.

    Raises
    ------
    InvalidValueError
        The model has no ``predict``, or nothing is known about its inputs.
    """

    def __init__(self, model: Any, version: ModelVersion, alias: str | None = None) -> None:
        shown = f"{version.name}/{version.version}"
        signature = version.signature
        if signature is None or not signature.inputs:
            raise InvalidValueError(
                "signature of the model",
                shown,
                "a known one",
                "Register the model again with an example of its inputs.",
            )
        self.model = _Network(model) if version.flavor == "torch" else model
        if not hasattr(self.model, "predict"):
            raise InvalidValueError("model", shown, "one that has 'predict'")
        self.version, self.signature = version, signature
        self.identity = {"name": version.name, "version": version.version, "alias": alias}
        self._checker = InputChecker(signature)
        self._names = [field.name for field in signature.inputs]
        self._framed = getattr(model, "feature_names_in_", None) is not None
        classes = getattr(model, "classes_", None)
        self._classes = None if classes is None or isinstance(classes, list) else classes.tolist()

    @classmethod
    def load(cls, store: Store, ref: str) -> Predictor:
        """Load the model that a reference means.

        Parameters
        ----------
        store
            Where it is registered.
        ref
            ``name``, ``name@alias`` or ``name/3``.

        Returns
        -------
        Predictor
            Ready to answer.

        Raises
        ------
        ModelNotFoundError, CorruptObjectError, UnsafeModelError
            As for `mlops_nb.registry.load`.
        """
        version = registry.resolve(store, ref)
        return cls(registry.load(store, version), version, registry.parse_ref(ref).alias)

    def answer(self, body: bytes) -> dict[str, Any]:
        """Answer one request.

        Parameters
        ----------
        body
            JSON as it came.

        Returns
        -------
        dict
            ``predictions``, for classifiers that have them ``probabilities`` and ``classes``,
            ``warnings`` and ``model``; plain Python values.

        Raises
        ------
        RequestError
            The body does not fit the signature, or the model refused its values.
        PredictionError
            The model failed; the reason is in the log.
        """
        rows = decode_rows(body, self.signature)
        inputs = self._checker.check(rows)
        data = self._build(inputs)
        answer: dict[str, Any] = {"predictions": self._call("predict", data, inputs).tolist()}
        if len(answer["predictions"]) != len(rows.rows):
            _log.error("model %s gave another number of predictions than rows", self.identity)
            raise PredictionError("gave another number of predictions than rows")
        if hasattr(self.model, "predict_proba"):
            probabilities = self._call("predict_proba", data, inputs)
            several = isinstance(probabilities, list)  # one array per target
            answer["probabilities"] = (
                [each.tolist() for each in probabilities] if several else probabilities.tolist()
            )
            answer["classes"] = self._classes
        answer["warnings"] = inputs.warnings + _find_gaps(answer["predictions"])
        answer["model"] = self.identity
        return answer

    def _call(self, method: str, data: Any, inputs: CheckedInputs) -> Any:
        import numpy as np

        try:
            result = getattr(self.model, method)(data)
        except Exception as error:
            refused = isinstance(error, ValueError | TypeError | KeyError)
            # encoders refuse values they never saw, which the signature cannot tell for all types
            if refused and (inputs.matrix is None or inputs.warnings):
                reason = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
                found = f"the model refused these rows ({reason})"
                raise RequestError("inputs", found, "; ".join(inputs.warnings[:3])) from error
            _log.exception("model %s failed", self.identity)
            raise PredictionError("failed on inputs that fit its signature") from error
        return result if isinstance(result, list) else np.asarray(result)

    def _build(self, inputs: CheckedInputs) -> Any:
        """Give the inputs in the form of training: frame, array or texts."""
        import numpy as np

        fields = self.signature.inputs
        if fields[0].dtype == "text":
            return inputs.columns[0]
        if self._framed and inputs.matrix is not None:
            import pandas as pd

            # columns lie together as in frames that were read or built: sums round the same way
            return pd.DataFrame(np.asfortranarray(inputs.matrix), columns=self._names)
        if inputs.matrix is not None:
            return inputs.matrix
        if self._framed or len({field.dtype for field in fields}) > 1:
            return _build_frame(dict(zip(self._names, inputs.columns, strict=True)), fields)
        strict = fields[0].dtype not in _LOOSE
        columns = [np.asarray(each, dtype=None if strict else object) for each in inputs.columns]
        return np.column_stack(columns)


def _build_frame(columns: Mapping[str, Any], fields: tuple[FieldSignature, ...]) -> Any:
    import pandas as pd

    made = {}
    for field, values in zip(fields, columns.values(), strict=True):
        if field.dtype in _LOOSE:
            # gaps in texts are NaN in frames, which is what encoders and imputers look for
            cells = [float("nan") if value is None else value for value in values]
            mixed = field.dtype == "any" and not any(isinstance(cell, str) for cell in cells)
            made[field.name] = pd.Series(cells) if mixed else pd.Series(cells, dtype=object)
        elif field.dtype == "datetime":
            made[field.name] = pd.to_datetime(pd.Series(values))
        else:
            made[field.name] = pd.Series(values)
    return pd.DataFrame(made)


def _find_gaps(predictions: list[Any]) -> list[str]:
    """Tell of predictions that JSON cannot say and that stand as null."""
    return [
        f"predictions[{i}]: the model gave no finite number"
        for i, value in enumerate(predictions)
        if isinstance(value, float) and not math.isfinite(value)
    ][:3]


class _Network:
    """A torch module behind the one method that serving needs."""

    def __init__(self, module: Any) -> None:
        self.module = module

    def predict(self, data: Any) -> Any:
        """Give the module's output for rows of numbers."""
        import numpy as np
        import torch

        rows = torch.from_numpy(np.asarray(data, dtype="float32"))
        with torch.inference_mode():
            return self.module(rows).numpy()
