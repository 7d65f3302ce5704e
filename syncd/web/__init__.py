"""The daemon's web server: where webhooks arrive, and where its health is asked for."""
