"""The latest BMS-Flux models behind HTTP; `bms_live.app.create_app` builds the service."""
