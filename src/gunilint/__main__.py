"""`python -m gunilint`."""

import sys

if __name__ == "__main__":
    if not getattr(sys.flags, "safe_path", sys.flags.isolated):
        # the working directory comes first here, and nothing that is linted may be imported
        del sys.path[0]

    from gunilint.cli import main

    main(prog_name="gunilint")
