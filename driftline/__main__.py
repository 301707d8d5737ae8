"""Run a command; turn an error of the stream's family into one sentence and an exit code."""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Run the command line and leave with its exit code.

    0 is fine, 1 failed, 2 a wrong setting, 130 Ctrl-C.
    """
    try:
        code = _run()
    except BrokenPipeError:
        # Whoever read our output has seen enough.
        sys.stderr.close()
        code = 0
    except KeyboardInterrupt:
        code = 130
    sys.exit(code)


def _run() -> int:
    from cyclopts import CycloptsError

    from driftline.app import app
    from driftline.sources import strangers
    from stream.errors import SettingError, StreamError

    words = sys.argv[1:]
    if not {"--help", "-h", "--version"} & {*words}:
        for line in strangers(app, os.environ):
            sys.stderr.write(f"driftline: {line}\n")
    try:
        code = app(words)
    except CycloptsError as error:
        from driftline.usage import sentence

        return _said(sentence(error), 2)
    except SettingError as error:
        return _said(error, 2)
    except StreamError as error:
        return _said(error, 1)
    return code if isinstance(code, int) else 0


def _said(error: object, code: int) -> int:
    sys.stderr.write(f"driftline: {error}\n")
    return code


if __name__ == "__main__":
    main()
