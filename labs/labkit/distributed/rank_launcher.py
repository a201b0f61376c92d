"""torchrun that ends with the process that started it.

`python -m labkit.distributed.rank_launcher PARENT OPTIONS...` is
`python -m torch.distributed.run OPTIONS...`, except that it is killed when PARENT ends:
a notebook's kernel that is killed, or started again, leaves no training behind. The
ranks, in turn, end with this launcher (see `flightline.distributed.end_with_parent`).
"""

import os
import sys


def main() -> None:
    """Tie this process to its parent, and become torchrun."""
    from flightline.distributed import end_with_parent
    from torch.distributed.run import main as run

    parent = int(sys.argv.pop(1))
    end_with_parent()
    if os.getppid() != parent:
        raise SystemExit(f"process {parent}, which started this one, has ended")
    run()


if __name__ == "__main__":
    main()
