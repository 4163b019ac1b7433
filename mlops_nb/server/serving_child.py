"""The process that serves a model's version for the panel, apart from the server.

It reads one request from its standard input and tells as lines of JSON where it answers, or why it
does not. When its input ends, because somebody stopped it or because the server is gone, it ends.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from typing import Any

from mlops_nb import api
from mlops_nb.errors import MLOpsError
from mlops_nb.server.payload import write_error
from mlops_nb.server.pipeline_child import Teller, open_channel, watch_input

# Longer than a server takes to answer what is under way.
_GRACE_S = 12.0


def serve_request(request: dict[str, Any], teller: Teller) -> None:
    """Serve what was asked for until interrupted; what is in the way is told.

    Parameters
    ----------
    request
        ``ref``, as `mlops_nb.api.serve_model` takes it, and ``token``, asked of every request.
    teller
        Is told the address, or the problem.
    """
    try:
        api.serve_model(
            request["ref"],
            port=0,
            token=request["token"],
            on_ready=lambda url: teller.tell("serving", url=url),
        )
    except MLOpsError as error:
        teller.tell("refused", problem=write_error(error))


def leave_with_input(source: int) -> None:
    """End the process once its input has ended, however busy the model is.

    Parameters
    ----------
    source
        Where the request came from; nothing is expected after it.
    """
    watch_input(source, threading.Event())
    time.sleep(_GRACE_S)  # interrupted by now, and gone unless it hangs in foreign code
    os._exit(1)


def main() -> None:
    """Read a request and serve."""
    request, teller, source = open_channel()
    threading.Thread(target=leave_with_input, args=(source,), daemon=True).start()
    try:
        serve_request(request, teller)
    except KeyboardInterrupt:
        pass  # before the server ran, which ends in order by itself
    except Exception:  # noqa: BLE001 - its last line is told to whoever asked
        import traceback

        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)
    # A prediction that never ends would hold the interpreter.
    os._exit(0)


if __name__ == "__main__":
    main()
