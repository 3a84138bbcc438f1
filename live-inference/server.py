"""HTTP service: the latest models on live readings."""

from bms_live.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
