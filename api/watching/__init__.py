"""Watching in the service: windows that are due are matched, alerts are kept once each and acted on."""
