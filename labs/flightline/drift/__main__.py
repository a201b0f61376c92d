"""The command line: `python -m flightline.drift compare` and `dashboard`."""

from flightline.drift.app import main

if __name__ == "__main__":
    raise SystemExit(main())
