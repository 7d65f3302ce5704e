"""The connector for a platform's support system, as `docs/platform-api.yaml` describes it."""
