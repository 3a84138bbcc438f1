"""MCP server: synthetic twins of battery data, and simulated labelled fleets."""

from bms_generate.tools import server
from bms_schema.run.mcp_boundary import serve

if __name__ == "__main__":
    serve(server)
