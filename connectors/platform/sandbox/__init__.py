"""A platform's support system in miniature: the contract of `docs/platform-api.yaml`, in memory.

Reading order: model.py, register.py (the rules), new_update.py, api.py, wire.py (who sees what),
feed.py, hooks.py, act.py (people), service.py (all together). The connector imports none of it.
"""

from connectors.platform.sandbox.seed import Seed
from connectors.platform.sandbox.service import PlatformDesk, PlatformSandbox

__all__ = ["PlatformDesk", "PlatformSandbox", "Seed"]
