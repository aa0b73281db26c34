"""The service's models, their aliases and sizes. Sources: the service's public clients and Google's model pages."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Model:
    """What is published of one model: `context_window` and `max_output` in tokens, and whether it takes an image."""

    name: str
    context_window: int = 1_048_576
    max_output: int = 8_192
    vision: bool = True


DEFAULT_MODEL = "gemini-1.5-flash"
MODELS = {
    name: Model(name)
    for name in ("gemini-1.5-flash", "gemini-1.5-flash-8b", "gemini-2.0-flash", "gemini-2.0-flash-lite")
}
ALIASES = {"gemini-1.5-flash": "gemini-1.5-flash-8b", "gemini-2.0-flash": "gemini-2.0-flash-lite"}
"""The aliases the service published. Their keys are known names, which win: see `resolve_name`."""


def resolve_name(name: str, aliases: Mapping[str, str] = ALIASES) -> str:
    """The name that goes out in `ai_model`.

    An empty name is the default; a name that the service knows is kept, also when it is an alias; any other alias is
    replaced; an unknown name stays as it is, because the service's list may have grown.
    """
    if not name:
        return DEFAULT_MODEL
    return name if name in MODELS else aliases.get(name, name)


def describe_model(name: str) -> Model:
    """What is published of the model; for an unknown name the sizes that all known ones share."""
    return MODELS.get(name) or Model(name)
