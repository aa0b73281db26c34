"""A model's file from the Hugging Face hub, or from any server that speaks its protocol (`HF_ENDPOINT`).

The package huggingface-hub keeps the file in its own cache, goes on where a connection broke, shows a bar on a
terminal, and asks nobody with `HF_HUB_OFFLINE=1`.
"""

import re
from pathlib import Path

from dynaspark_core.errors import ConfigError
from dynaspark_core.server.local.packages import require_packages

PREFIX = "hf:"
FORM = "hf:OWNER/REPO/FILE.gguf"
_NAME = re.compile(r"hf:([\w.-]+/[\w.-]+)/([\w./ -]+\.gguf)")


def fetch(name: str) -> Path:
    """The file of this name, `hf:OWNER/REPO/FILE.gguf`; downloaded when it is not in the cache.

    Raises `ConfigError` for another form, and when the file cannot be had.
    """
    found = _NAME.fullmatch(name)
    if found is None:
        raise ConfigError(f"a model of the hub is named {FORM}, not {name!r}")
    with require_packages():
        from huggingface_hub import hf_hub_download  # noqa: PLC0415  # of the extra `local`
        from huggingface_hub.errors import HfHubHTTPError  # noqa: PLC0415  # of the extra `local`
    try:
        return Path(hf_hub_download(found[1], found[2]))
    except (OSError, HfHubHTTPError, ValueError) as exc:
        reason = str(exc).strip().partition("\n")[0]
        raise ConfigError(f"cannot fetch {name} from the hub: {reason}") from exc
