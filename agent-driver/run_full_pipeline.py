# /// script
# requires-python = ">=3.11"
# dependencies = ["mcp>=2.3,<3", "rich>=13.9,<16", "bms-driver"]
#
# [tool.uv]
# exclude-newer = "2026-11-20T00:00:00Z"
#
# [tool.uv.sources]
# bms-driver = { path = ".", editable = true }
# ///
"""Run the whole BMS-Flux chain: from a BMS log to one report."""

import sys

from bms_driver.cli import main

if __name__ == "__main__":
    sys.exit(main())
