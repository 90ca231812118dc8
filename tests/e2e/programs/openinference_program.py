"""A program under `openinference-instrumentation-openai`; run it with `python -m`."""

from openinference.instrumentation import using_attributes
from openinference.instrumentation.openai import OpenAIInstrumentor

from tests.e2e.programs.conversation import SESSION, USER, converse, provider_of, report


def main() -> None:
    replies: list[tuple[int, str]] = []
    provider = provider_of("openinference-program", replies)
    OpenAIInstrumentor().instrument(tracer_provider=provider)
    with using_attributes(session_id=SESSION, user_id=USER, tags=["e2e"], metadata={"ticket": 17}):
        told = converse(provider)
    report(told, replies)


if __name__ == "__main__":
    main()
