"""Every exception of the package: one base, data in, one shape of message out."""

from __future__ import annotations

from collections.abc import Iterable


def near_misses(value: str, known: Iterable[str], limit: int = 3) -> tuple[str, ...]:
    """Find what the user may have meant.

    Parameters
    ----------
    value
        What was given.
    known
        What exists.
    limit
        At most so many answers.

    Returns
    -------
    tuple of str
        The nearest known names, best first; empty where nothing is near.
    """
    import difflib  # loading it takes a millisecond, and only an error needs it

    names = list(dict.fromkeys(known))
    folded = {name.casefold(): name for name in names}
    close = difflib.get_close_matches(value.casefold(), list(folded), n=limit, cutoff=0.6)
    starts = [name for name in names if name.casefold().startswith(value.casefold()) and value]
    return tuple(dict.fromkeys([folded[name] for name in close] + starts))[:limit]


class MLOpsError(Exception):
    """Base of all errors of this package.

    Parameters
    ----------
    message
        What happened, with the value in repr, and what was expected.
    hint
        How to go on; shown on its own line.

    Attributes
    ----------
    exit_code : int
        What the command line returns: 2 for usage and unknown names, 1 for work that failed, 3 for
        parameters, 124 for time-outs.
    status : int
        What the HTTP doors answer.
    """

    exit_code = 2
    status = 400

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        """Give message and hint as one text."""
        return f"{self.message}\n{self.hint}" if self.hint else self.message

    def _render_traceback_(self) -> list[str]:
        """Give IPython the two lines to show in place of a traceback, with the user's own line."""
        line, step = 0, self.__traceback__
        while step is not None:
            if step.tb_frame.f_globals.get("__name__") == "__main__":
                line = step.tb_lineno
            step = step.tb_next
        where = f" (line {line} of the cell)" if line > 1 else ""
        return [f"{type(self).__name__}: {self.message}{where}", *self.hint.splitlines()[:1]]


class UsageError(MLOpsError, ValueError):
    """A command was given arguments that it cannot read.

    Parameters
    ----------
    command
        The command as the user types it: ``%mlops show``.
    problem
        What is wrong with the arguments, with the value in repr.
    hint
        How to go on.
    """

    def __init__(self, command: str, problem: str, hint: str = "") -> None:
        self.command, self.problem = command, problem
        super().__init__(f"{command}: {problem.rstrip('.')}.", hint)


class NotFoundError(MLOpsError, LookupError):
    """Something was asked for by a name that nothing has.

    Parameters
    ----------
    kind
        What was looked for: ``run``, ``model``, ``alias``, ``parameter`` ...
    value
        The name as given.
    known
        The names that exist.
    hint
        How to see what exists.
    """

    status = 404

    def __init__(self, kind: str, value: str, known: Iterable[str] = (), hint: str = "") -> None:
        self.kind, self.value = kind, value
        names = sorted(set(known))
        self.near = near_misses(value, names)
        if self.near:
            meant = "Did you mean " + " or ".join(repr(name) for name in self.near) + "?"
        elif not names:
            meant = f"There is no {kind} yet."
        else:
            shown = ", ".join(repr(name) for name in names[:5])
            meant = f"Known: {shown}{' ...' if len(names) > 5 else ''}."
        super().__init__(f"no {kind} {value!r}. {meant}", hint)


class RunNotFoundError(NotFoundError):
    """No run has that id, unique beginning of an id, or name."""

    def __init__(self, run_id: str, known: Iterable[str] = ()) -> None:
        super().__init__("run", run_id, known, "List runs with: mlops-nb runs")


class ModelNotFoundError(NotFoundError):
    """No registered model has that name, version or alias."""

    def __init__(self, name: str, known: Iterable[str] = (), kind: str = "model") -> None:
        super().__init__(kind, name, known, "List models with: mlops-nb models")


class InvalidValueError(MLOpsError, ValueError):
    """A value is not of the form it must have.

    Parameters
    ----------
    what
        What the value is for.
    value
        The value as given.
    expected
        What would be right.
    hint
        How to go on.
    """

    def __init__(self, what: str, value: object, expected: str, hint: str = "") -> None:
        self.what, self.value, self.expected = what, value, expected
        shown = repr(value)
        if len(shown) > 200:
            shown = shown[:197] + "..."
        super().__init__(f"{what} is {shown}; expected {expected}.", hint)


class ParameterError(InvalidValueError):
    """A notebook parameter has the wrong type or form."""

    exit_code = 3


class ParameterNotFoundError(NotFoundError):
    """The notebook declares no parameter of that name."""

    exit_code = 3

    def __init__(self, name: str, known: Iterable[str] = ()) -> None:
        super().__init__(
            "parameter",
            name,
            known,
            "Parameters are the assignments in the cell tagged 'parameters'.",
        )


class StoreError(MLOpsError, OSError):
    """The store cannot be used as it is.

    Parameters
    ----------
    path
        The store's folder.
    found
        What was found there.
    hint
        How to go on.
    """

    status = 409

    def __init__(self, path: object, found: str, hint: str = "") -> None:
        self.path, self.found = str(path), found
        super().__init__(f"cannot use the store at {str(path)!r}: {found}.", hint)


class CorruptObjectError(StoreError):
    """Stored bytes are not the bytes that were written."""

    exit_code = 1

    def __init__(self, path: object, digest: str, found: str) -> None:
        self.digest = digest
        super().__init__(
            path, f"object {digest[:16]} {found}", "Restore it from a backup; it was not loaded."
        )


class RemoteError(MLOpsError, OSError):
    """A remote cannot be used as it is.

    Parameters
    ----------
    url
        The remote, without credentials.
    found
        What happened.
    hint
        How to go on.
    """

    exit_code = 1
    status = 502

    def __init__(self, url: str, found: str, hint: str = "") -> None:
        self.url, self.found = url, found
        super().__init__(f"cannot use the remote {url!r}: {found.rstrip('.')}.", hint)


class TeamIndexError(MLOpsError, OSError):
    """An index that a team shares cannot be used as it is.

    Parameters
    ----------
    url
        The database, without credentials.
    found
        What happened.
    hint
        How to go on.
    is_passing
        Whether another try may go better.
    """

    exit_code = 1
    status = 502

    def __init__(self, url: str, found: str, hint: str = "", *, is_passing: bool = False) -> None:
        self.url, self.found, self.is_passing = url, found, is_passing
        super().__init__(f"cannot use the index at {url!r}: {found.rstrip('.')}.", hint)


class MissingPackageError(MLOpsError, ImportError):
    """Something was asked for that needs a package of an extra.

    Parameters
    ----------
    package
        The package that is missing.
    extra
        The extra that brings it.
    purpose
        What it is needed for.
    """

    def __init__(self, package: str, extra: str, purpose: str) -> None:
        self.package, self.extra = package, extra
        super().__init__(
            f"{purpose} needs the package {package!r}, which is not installed.",
            f'Install it with: pip install "mlops-nb[{extra}]"',
        )


class UnsafeModelError(MLOpsError, ValueError):
    """A model cannot be saved or loaded without running code that nobody checked."""

    def __init__(self, what: str, types: Iterable[str] = (), hint: str = "") -> None:
        self.types = tuple(types)
        listed = ": " + ", ".join(self.types[:8]) if self.types else ""
        super().__init__(f"{what}{listed}.", hint)


class RequestError(MLOpsError, ValueError):
    """A request to a served model cannot be answered as it is.

    Parameters
    ----------
    path
        Where in the request, such as ``inputs[0].mean radius``; empty for the request as a whole.
    found
        What is wrong there.
    hint
        How to go on.
    status
        What the server answers.
    """

    def __init__(self, path: str, found: str, hint: str = "", status: int = 422) -> None:
        self.path, self.status = path, status
        super().__init__(f"{path}: {found}" if path else found, hint)


class PredictionError(MLOpsError, RuntimeError):
    """A served model did not do its part on inputs that fit its signature."""

    exit_code = 1
    status = 500

    def __init__(self, found: str) -> None:
        super().__init__(f"the model {found}.", "The server's log says why.")


class NotebookError(MLOpsError, ValueError):
    """A notebook cannot be read or used as asked.

    Parameters
    ----------
    path
        The notebook.
    found
        What is wrong.
    cell
        Position of the cell from 0, where one cell is to blame.
    hint
        How to go on.
    """

    def __init__(self, path: object, found: str, cell: int | None = None, hint: str = "") -> None:
        self.path, self.found, self.cell = str(path), found, cell
        where = "" if cell is None else f", cell {cell}"
        super().__init__(f"{str(path)!r}{where}: {found}.", hint)


class PipelineError(NotebookError):
    """Tagged cells cannot become a pipeline that gives the notebook's result."""


class StepFailedError(MLOpsError, RuntimeError):
    """A step of a pipeline did not succeed."""

    exit_code = 1
    status = 500

    def __init__(self, step: str, reason: str, notebook: object = None) -> None:
        self.step, self.reason = step, reason
        hint = f"The notebook up to the failure: {notebook}" if notebook else ""
        super().__init__(f"step {step!r} failed: {reason}", hint)


class ExportError(NotebookError):
    """A notebook cannot be exported without changing what it does."""
