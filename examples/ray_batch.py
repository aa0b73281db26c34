"""Ray Data: two workers ask, as machines would; the model goes to them pickled, and they share one limit in Redis."""

import os
from typing import Any

import ray
from langchain_core.messages import AIMessage

from langchain_dynaspark import ChatDynaspark

model = ChatDynaspark(  # the workers may be elsewhere: what the environment says here is given to them
    base_url=os.environ.get("DYNASPARK_BASE_URL"),
    requests_per_hour=int(os.environ.get("DYNASPARK_REQUESTS_PER_HOUR", "100")),
    limit_storage=os.environ["DYNASPARK_LIMIT_STORAGE"],  # such as redis://host:6379
)


def ask(rows: dict[str, Any]) -> dict[str, Any]:
    """The rows with their answers; an error is an answer as well, so that none of the others is lost."""
    replies: list[Any] = model.batch([str(question) for question in rows["question"]], return_exceptions=True)
    answers = [reply.text if isinstance(reply, AIMessage) else f"error: {reply}" for reply in replies]
    return rows | {"answer": answers, "worker": [os.getpid()] * len(answers)}


ray.init(num_cpus=2, include_dashboard=False)  # on a cluster: ray.init("auto")
questions = [{"question": f"What is 7 times {number}?"} for number in range(30)]
rows = ray.data.from_items(questions, override_num_blocks=6).map_batches(ask, batch_size=5).take_all()
for row in rows:
    print(f"{row['question']} {row['answer']}")
print(f"{len(rows)} rows by {len({row['worker'] for row in rows})} workers")
