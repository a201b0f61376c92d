"""The command line: `python -m flightline.serving` starts the service."""

from flightline.serving.serve import main

if __name__ == "__main__":
    raise SystemExit(main())
