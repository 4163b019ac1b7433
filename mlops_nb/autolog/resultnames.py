"""What the name of a variable says: a result or not, of data that is trained on or not."""

from __future__ import annotations

import re

_WORDS = frozenset(
    {
        *("loss", "losses", "nll", "elbo", "perplexity", "ppl", "mse", "mae", "rmse", "mape", "r2"),
        *("acc", "accs", "accuracy", "accuracies", "top1", "top5", "auc", "aucs", "auroc", "roc"),
        *("f1", "precision", "recall", "error", "errors", "err", "errs", "score", "scores"),
        *("iou", "miou", "dice", "psnr", "ssim", "fid", "bleu", "rouge", "wer", "cer"),
        *("reward", "rewards"),
    }
)
_SETTINGS = frozenset(
    {"weight", "weights", "fn", "func", "function", "coef", "scale", "factor", "threshold"}
)
_HELD_OUT = frozenset({"val", "valid", "validation", "test", "eval", "dev", "holdout"})
# What stands before a word without anything between them: ``vloss``, ``trainacc``.
_JOINED = (
    *("v", "val", "valid", "validation", "te", "test", "eval", "dev"),
    *("t", "tr", "train", "avg", "mean", "best", "epoch", "total"),
)
_SHORTEST_JOINED = 3  # a word of two letters is none then: ``tf1``
_JOINED_HELD_OUT = _HELD_OUT | {"v", "te"}


def is_result_name(name: str) -> bool:
    """Tell whether a name says that its value is a result.

    Examples
    --------
    >>> [is_result_name(name) for name in ("val_acc", "testLoss", "f1", "lr", "loss_weight")]
    [True, True, True, False, False]
    >>> [is_result_name(name) for name in ("avg_vloss", "acc1", "trainacc", "vdata", "tf1")]
    [True, True, True, False, False]
    """
    parts = _split(name)
    return not parts & _SETTINGS and any(map(_is_word, parts))


def is_held_out(name: str) -> bool:
    """Tell whether a name says that its value is of data that is not trained on.

    Examples
    --------
    >>> [is_held_out(name) for name in ("best_val_acc", "avg_vloss", "train_loss", "value")]
    [True, True, False, False]
    """
    parts = _split(name)
    if not _HELD_OUT.isdisjoint(parts):
        return True
    joined = (_read_joined(part) for part in parts)
    return any(found is not None and found in _JOINED_HELD_OUT for found in joined)


def _split(name: str) -> set[str]:
    return set(re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower().split("_"))


def _is_word(part: str) -> bool:
    return part in _WORDS or part.rstrip("0123456789") in _WORDS or _read_joined(part) is not None


def _read_joined(part: str) -> str | None:
    """Give what stands before a word, ``v`` of ``vloss``; None where it is no such name."""
    plain = part.rstrip("0123456789")
    for before in _JOINED:
        word = plain.removeprefix(before)
        if word != plain and len(word) >= _SHORTEST_JOINED and word in _WORDS:
            return before
    return None
