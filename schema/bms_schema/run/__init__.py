"""Running a tool: errors, result envelope, workspace, run folder, model store, MCP boundary."""
