"""The command line of one rank, which `torch.distributed.run` starts.

`python -m torch.distributed.run ... -m flightline.distributed DATA OUT`.
"""

from flightline.distributed.core import main

if __name__ == "__main__":
    main()
