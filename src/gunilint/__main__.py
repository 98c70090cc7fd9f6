"""How the process starts and ends: `gunilint`, as it is installed, or `python -m gunilint`."""

import contextlib
import gc
import os
import sys

gc.set_threshold(200_000)  # nearly all that a run imports and makes stays until its end


def run() -> None:
    """`gunilint` as it is installed, which leaves without taking down all that it has made.

    Python takes a tenth of the run for that. Under `python -m`, as for a profiler, it does so.
    """
    from gunilint.cli import main

    try:
        main()
    except SystemExit as end:
        with contextlib.suppress(OSError, ValueError):
            for stream in filter(None, (sys.stdout, sys.stderr)):
                stream.flush()
            if isinstance(end.code, int):
                os._exit(end.code)
        raise


if __name__ == "__main__":
    if not getattr(sys.flags, "safe_path", sys.flags.isolated):
        # the working directory comes first here, and nothing that is linted may be imported
        del sys.path[0]

    from gunilint.cli import main

    main(prog_name="gunilint")
