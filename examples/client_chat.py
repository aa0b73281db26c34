"""The client alone: a history with a system message, several questions at a time, and what an error says."""

import asyncio

from dynaspark_core import DynasparkClient, DynasparkError


async def main() -> None:
    client = DynasparkClient()
    history = [
        {"role": "system", "content": "Answer in one word."},
        {"role": "user", "content": "What is the capital of France?"},
    ]
    reply = await client.complete(history)
    print(f"{reply.text} ({reply.model or 'the service does not say which model'})")
    countries = ["Italy", "Spain", "Norway"]
    questions = [client.complete(f"What is the capital of {country}?") for country in countries]
    for country, reply in zip(countries, await asyncio.gather(*questions), strict=True):
        print(f"{country}: {reply.text}")
    try:
        await DynasparkClient(base_url="http://127.0.0.1:9", max_retries=0).complete("Is anybody there?")
    except DynasparkError as error:
        print(f"{type(error).__name__}, may pass: {error.is_retryable}; {error}")


asyncio.run(main())
