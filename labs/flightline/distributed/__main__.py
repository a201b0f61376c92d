"""The command line of one rank, which `torch.distributed.run` starts.

`python -m torch.distributed.run ... -m flightline.distributed DATA OUT`. What a user
can mend ends with one line and code 2, not with a traceback.
"""

import sys

from flightline.distributed.command import main

if __name__ == "__main__":
    try:
        main()
    except (ValueError, OSError, FloatingPointError) as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        raise SystemExit(2) from None
