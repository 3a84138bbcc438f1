"""Chains the BMS-Flux servers over MCP stdio; knows only tool names and the result envelope."""
