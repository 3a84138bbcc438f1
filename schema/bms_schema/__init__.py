"""What all BMS-Flux servers agree about.

`bms_schema.data` (columns, reading, cleaning, features, splits, metrics) is pure;
`bms_schema.run` (errors, envelope, workspace, run folder, model store, MCP boundary) touches the world.
"""

__version__ = "0.1.0"
