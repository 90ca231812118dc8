"""A program under `opentelemetry-instrumentation-openai` (OpenLLMetry); run it with `python -m`."""

from opentelemetry.instrumentation.openai import OpenAIInstrumentor

from tests.e2e.programs.conversation import converse, provider_of, report


def main() -> None:
    replies: list[tuple[int, str]] = []
    provider = provider_of("openllmetry-program", replies)
    OpenAIInstrumentor().instrument(tracer_provider=provider)
    report(converse(provider), replies)


if __name__ == "__main__":
    main()
