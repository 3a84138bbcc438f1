"""Start the anomaly server over stdio."""

from bms_anomaly.tools import server
from bms_schema.run.mcp_boundary import serve

if __name__ == "__main__":
    serve(server)
