"""Launcher of the preprocessing server (stdio)."""

from bms_preprocess.tools import server
from bms_schema.run.mcp_boundary import serve

if __name__ == "__main__":
    serve(server)
