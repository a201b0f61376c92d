"""The command line: `python -m flightline.latency` starts the faster service."""

from flightline.latency.fast import main

if __name__ == "__main__":
    raise SystemExit(main())
