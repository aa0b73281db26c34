"""LangChain: when a service is away or wants us to wait, the next model of the list answers."""

from langchain_core.exceptions import ModelAPIError, ModelConnectionError, ModelRateLimitError

from langchain_dynaspark import ChatDynaspark

away = ChatDynaspark(base_url="http://127.0.0.1:9", max_retries=0)  # nobody listens there
passing = (ModelConnectionError, ModelRateLimitError, ModelAPIError)
model = away.with_fallbacks([ChatDynaspark()], exceptions_to_handle=passing)

try:
    away.invoke("Is water wet?")
except ModelConnectionError as error:
    print(f"alone: {error}")
print(f"with a fallback: {model.invoke('Is water wet?').text}")
