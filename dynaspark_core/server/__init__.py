"""A local service that speaks the Dynaspark protocol over real HTTP, with engines behind one small protocol.

    with LocalService(Script("Hello.")) as service:
        ...                      # point any client at service.url

Engines: `Script("a", "b")` gives these answers in order and records what was asked; `OpenAI` asks an
OpenAI-compatible endpoint; `serve --engine local` runs a real small model (the extra `local`). It is written from the
protocol: of the client's code it imports only words (`messages`, `errors`), so that both cannot be wrong in the same
way. It is no production server: one process, one quota, one key.
"""

from dynaspark_core.server.engines import Answer, Asked, Engine, Pieces, RefusedError
from dynaspark_core.server.openai import OpenAI
from dynaspark_core.server.rules import Rules
from dynaspark_core.server.running import LocalService
from dynaspark_core.server.script import Script, call

__all__ = ["Answer", "Asked", "Engine", "LocalService", "OpenAI", "Pieces", "RefusedError", "Rules", "Script", "call"]
