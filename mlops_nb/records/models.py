"""Registered models, as frozen records."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from mlops_nb.records.runs import format_time


@dataclass(frozen=True, slots=True)
class FieldSignature:
    """One input or output of a model: name, type and, for inputs, the range seen in training."""

    name: str
    dtype: str
    minimum: float | None = None
    maximum: float | None = None
    categories: tuple[str, ...] | None = None
    nullable: bool = False


@dataclass(frozen=True, slots=True)
class Signature:
    """What a model takes and gives.

    Attributes
    ----------
    inputs
        Columns in training order.
    outputs
        What ``predict`` gives.
    named
        Whether the input names are the data's own; else they are positions (``x0``, ``x1`` ...).
    """

    inputs: tuple[FieldSignature, ...]
    outputs: tuple[FieldSignature, ...]
    named: bool = True


@dataclass(frozen=True, slots=True)
class ModelVersion:
    """One immutable version of a registered model, with its lineage.

    Attributes
    ----------
    flavor
        How the model is saved: ``skops``, ``torch``, ...
    digest
        Object that holds the model's bytes; verified before every load.
    run_id, datasets, environment, code
        Lineage: the run that trained it, fingerprints of its data, environment and code documents.
    """

    name: str
    version: int
    flavor: str
    digest: str
    size_bytes: int
    registered_at: float
    model_class: str = ""
    signature: Signature | None = None
    run_id: str | None = None
    datasets: tuple[str, ...] = ()
    environment: str | None = None
    code: str | None = None
    metrics: dict[str, float] = field(default_factory=dict)
    user: str = ""
    aliases: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Give the version as JSON types; times are ISO 8601 strings in UTC.

        Returns
        -------
        dict
            Every field of the record.
        """
        document = asdict(self)
        document["registered_at"] = format_time(self.registered_at)
        return document


@dataclass(frozen=True, slots=True)
class ModelSummary:
    """A registered model in one line.

    Attributes
    ----------
    version_count
        How many versions it has.
    newest
        The version with the highest number.
    aliases
        The version that each alias names.
    """

    name: str
    version_count: int
    newest: ModelVersion
    aliases: dict[str, int] = field(default_factory=dict)
