"""The command line: `python -m flightline.features FOLDER` lists a store."""

from flightline.features.registry import main

if __name__ == "__main__":
    raise SystemExit(main())
