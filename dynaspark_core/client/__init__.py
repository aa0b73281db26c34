"""The service for programs of no framework: `async_client`, and `sync_client` for programs without `async`."""

from dynaspark_core.client.async_client import DynasparkClient
from dynaspark_core.client.sync_client import Prompt, SyncClient

__all__ = ["DynasparkClient", "Prompt", "SyncClient"]
