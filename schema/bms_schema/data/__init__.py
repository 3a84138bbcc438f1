"""The data contract: frames in, frames out; nothing here writes a file or knows of MCP."""
