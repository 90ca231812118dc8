import json

import pytest

from tests.analytics.ingest.spans import normal


def told(messages, **more):
    return normal({"gen_ai.input.messages": json.dumps(messages), **more})


def test_text_is_that_of_all_messages_in_order_joined_by_newlines():
    span = told(
        [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}, {"role": "user", "content": "c"}]
    )

    assert (span.input_text, span.input_type) == ("a\nb\nc", "chat")


def test_messages_win_over_plain_values():
    span = told([{"role": "user", "content": "hi"}], **{"input.value": "plain"})

    assert (span.input_text, span.attributes) == ("hi", {})


def test_plain_values_are_text():
    span = normal({"input.value": "plain", "output.value": {"answer": 1}})

    assert (span.input_text, span.input_type, span.output_text, span.input_messages) == (
        "plain",
        "text",
        '{"answer":1}',
        None,
    )


@pytest.mark.parametrize(
    "part",
    [
        {"type": "blob", "modality": "image", "content": "AAAA"},
        {"type": "uri", "modality": "image", "uri": "https://example.com/a.png"},
        {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
        {"type": "input_audio", "input_audio": {"data": "AAAA"}},
    ],
    ids=lambda part: part["type"],
)
def test_a_part_that_is_not_text_makes_the_input_multimodal(part):
    span = told([{"role": "user", "parts": [{"type": "text", "content": "look"}, part]}])

    assert (span.input_type, span.input_text, span.input_messages) == (
        "multimodal",
        "look",
        [{"role": "user", "content": [{"type": "text", "text": "look"}, part]}],
    )


def test_spread_contents_with_an_image_are_multimodal():
    prefix = "llm.input_messages.0.message"
    span = normal(
        {
            f"{prefix}.role": "user",
            f"{prefix}.contents.0.message_content.type": "text",
            f"{prefix}.contents.0.message_content.text": "look",
            f"{prefix}.contents.1.message_content.type": "image",
            f"{prefix}.contents.1.message_content.image.image.url": "https://example.com/a.png",
        }
    )

    assert (span.input_type, span.input_messages) == (
        "multimodal",
        [
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "look"},
                    {"type": "image", "image.url": "https://example.com/a.png"},
                ],
            }
        ],
    )


def test_tool_calls_and_their_results_are_kept_and_are_not_multimodal():
    span = told(
        [
            {"role": "assistant", "parts": [{"type": "tool_call", "id": "c1", "name": "f", "arguments": '{"x": 1}'}]},
            {"role": "tool", "parts": [{"type": "tool_call_response", "id": "c1", "response": "42"}]},
        ]
    )

    assert (span.input_type, span.input_text, span.input_messages) == (
        "chat",
        "42",
        [
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [{"id": "c1", "name": "f", "arguments": {"x": 1}}],
            },
            {"role": "tool", "content": "42", "tool_call_id": "c1"},
        ],
    )


def test_reasoning_is_kept_beside_the_answer():
    span = normal(
        {
            "gen_ai.output.messages": json.dumps(
                [
                    {
                        "role": "assistant",
                        "parts": [{"type": "reasoning", "content": "hm"}, {"type": "text", "content": "42"}],
                    }
                ]
            )
        }
    )

    assert (span.output_text, span.output_messages) == (
        "42",
        [{"role": "assistant", "content": "42", "reasoning": "hm"}],
    )


@pytest.mark.parametrize(
    "call",
    [
        {"function_call": {"name": "f", "arguments": '{"x": 1}'}},
        {"tool_calls": {"name": "f", "arguments": '{"x": 1}'}},
        {"tool_calls": [{"type": "function", "function": {"name": "f", "arguments": {"x": 1}}}]},
        {"tool_calls": '[{"name": "f", "input": {"x": 1}}]'},
        {"content": [{"type": "tool_use", "name": "f", "input": {"x": 1}}]},
        {"content": [{"type": "tool-call", "toolName": "f", "args": {"x": 1}}]},
    ],
    ids=str,
)
def test_calls_of_every_api_have_one_form(call):
    assert told([{"role": "assistant", **call}]).input_messages == [
        {"role": "assistant", "content": None, "tool_calls": [{"name": "f", "arguments": {"x": 1}}]}
    ]


@pytest.mark.parametrize("odd", [{"a": 1}, [1], 7, True])
def test_a_call_with_odd_fields_is_a_call(odd):
    call = {"type": odd, "name": "f", "index": odd}

    assert told([{"role": "assistant", "tool_calls": [call]}]).input_messages[0]["tool_calls"] == [call]


@pytest.mark.parametrize("none", ["[]", "{}", [], {}, ""])
def test_an_empty_list_of_calls_is_no_call(none):
    assert told([{"role": "assistant", "content": "hi", "tool_calls": none}]).input_messages == [
        {"role": "assistant", "content": "hi"}
    ]


def test_a_call_that_is_only_a_name_is_a_call():
    assert told([{"role": "assistant", "tool_calls": ["f"]}]).input_messages[0]["tool_calls"] == [{"name": "f"}]


def test_spread_function_calls_are_calls():
    prefix = "llm.output_messages.0.message"
    span = normal({f"{prefix}.function_call_name": "f", f"{prefix}.function_call_arguments_json": '{"x": 1}'})

    assert span.output_messages == [
        {"role": "assistant", "content": None, "tool_calls": [{"name": "f", "arguments": {"x": 1}}]}
    ]


def test_a_result_names_its_call():
    assert told([{"role": "tool", "tool_call_id": "c1", "content": "42"}]).input_messages == [
        {"role": "tool", "content": "42", "tool_call_id": "c1"}
    ]


def test_parts_without_a_type_are_text_when_they_have_text():
    assert told([{"role": "user", "content": [{"text": "a"}, "b"]}]).input_text == "a\nb"


def test_reasoning_in_pieces_is_joined():
    parts = [{"type": "thinking", "thinking": "a"}, {"type": "thinking", "thinking": "b"}]

    assert told([{"role": "assistant", "content": parts}]).input_messages == [
        {"role": "assistant", "content": None, "reasoning": "a\nb"}
    ]


@pytest.mark.parametrize("messages", ["[]", '[{"role": "user"}]', '{"messages": 1}', "[1]", "{}"])
def test_what_holds_no_message_is_text(messages):
    span = normal({"gen_ai.input.messages": messages})

    assert (span.input_text, span.input_messages) == (messages, None)


def test_names_of_speakers_are_kept():
    assert told([{"role": "user", "name": "ann", "content": "hi"}]).input_messages == [
        {"role": "user", "content": "hi", "name": "ann"}
    ]


def test_system_instructions_come_before_a_plain_input():
    span = normal({"gen_ai.system_instructions": "Be brief.", "input.value": "hi"})

    assert span.input_messages == [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "hi"}]


def test_system_instructions_that_the_messages_repeat_are_told_once():
    span = told([{"role": "system", "content": "Be brief."}], **{"gen_ai.system_instructions": "Be brief."})

    assert span.input_text == "Be brief."


def test_messages_cut_in_the_middle_are_kept_as_text():
    span = normal({"gen_ai.input.messages": '[{"role": "user", "con'})

    assert (span.input_text, span.input_type, span.attributes) == ('[{"role": "user", "con', "text", {})


def test_system_instructions_alone_are_the_input():
    assert normal({"gen_ai.system_instructions": "Be brief."}).input_text == "Be brief."


def test_an_index_is_an_order_and_never_a_size():
    span = normal(
        {
            "llm.input_messages.999999999.message.content": "last",
            "llm.input_messages.7.message.content": "first",
            "llm.input_messages.7.message.tool_calls.888888888.tool_call.function.name": "f",
        }
    )

    assert (span.input_text, len(span.input_messages)) == ("first\nlast", 2)


@pytest.mark.parametrize(
    "name",
    [
        "llm.input_messages.-1.message.content",
        "llm.input_messages.9999999999.message.content",
        "llm.input_messages.x.message.content",
        "llm.input_messages.0",
        "gen_ai.prompt.prompt_filter_results",
        "llm.input_messages.0." + "a." * 500,
    ],
)
def test_a_name_without_a_usable_index_stays_an_attribute(name):
    assert normal({name: "x"}).attributes == {name: "x"}


def test_a_list_of_parts_in_json_text_is_read_as_parts():
    content = json.dumps([{"type": "text", "text": "a"}, {"type": "text", "text": "b"}])

    assert normal({"gen_ai.prompt.0.content": content}).input_text == "a\nb"


def test_text_that_only_looks_like_json_stays_text():
    assert normal({"gen_ai.prompt.0.content": "[1, 2]"}).input_text == "[1, 2]"


def test_nul_inside_embedded_json_is_replaced():
    assert told([{"role": "user", "content": "a\x00b"}]).input_text == "a\ufffdb"


def test_embedded_json_nested_without_end_is_text():
    deep = "[" * 200 + "]" * 200

    assert normal({"gen_ai.input.messages": deep}).input_text == deep


CALL = {"id": "c1", "name": "level", "arguments": {"river": "Elbe"}}


@pytest.mark.parametrize(
    ("part", "message"),
    [
        # Gemini
        ({"text": "hi"}, {"content": "hi"}),
        ({"text": "hm", "thought": True}, {"content": None, "reasoning": "hm"}),
        ({"function_call": {"id": "c1", "name": "level", "args": {"river": "Elbe"}}}, {"content": None, "tool_calls": [CALL]}),
        ({"functionCall": {"id": "c1", "name": "level", "args": {"river": "Elbe"}}}, {"content": None, "tool_calls": [CALL]}),
        ({"function_response": {"id": "c1", "name": "level", "response": {"m": 2}}}, {"content": '{"m":2}', "tool_call_id": "c1", "name": "level"}),
        # Bedrock
        ({"toolUse": {"toolUseId": "c1", "name": "level", "input": {"river": "Elbe"}}}, {"content": None, "tool_calls": [CALL]}),
        ({"toolResult": {"toolUseId": "c1", "content": [{"text": "2 m"}]}}, {"content": "2 m", "tool_call_id": "c1"}),
        ({"toolResult": {"toolUseId": "c1", "content": [{"json": {"m": 2}}]}}, {"content": '{"m":2}', "tool_call_id": "c1"}),
        ({"reasoningContent": {"reasoningText": {"text": "hm"}}}, {"content": None, "reasoning": "hm"}),
        # Genkit
        ({"toolRequest": {"ref": "c1", "name": "level", "input": {"river": "Elbe"}}}, {"content": None, "tool_calls": [CALL]}),
        ({"toolResponse": {"ref": "c1", "name": "level", "output": "2 m"}}, {"content": "2 m", "tool_call_id": "c1", "name": "level"}),
        ({"reasoning": "hm"}, {"content": None, "reasoning": "hm"}),
        # Somebody else's
        ({"toolUse": "level"}, {"content": None, "tool_calls": [{"name": "level"}]}),
        ({"media": {"url": "x"}}, {"content": [{"media": {"url": "x"}}]}),
        # The AI SDK
        ({"type": "tool-result", "toolCallId": "c1", "output": {"type": "json", "value": {"m": 2}}}, {"content": '{"m":2}', "tool_call_id": "c1"}),
    ],
)  # fmt: skip
def test_parts_without_a_type_are_known_by_their_keys(part, message):
    span = told([{"role": "user", "content": [part]}])

    assert span.input_messages == [{"role": "user", **message}]


SAID = [{"role": "assistant", "content": "hi"}]


@pytest.mark.parametrize(
    "document",
    [
        SAID,
        {"messages": SAID},
        {"role": "assistant", "content": "hi"},
        {"message": {"role": "assistant", "content": "hi"}},
        {"choices": [{"index": 0, "message": {"role": "assistant", "content": "hi"}, "finish_reason": "stop"}]},
        {"candidates": [{"content": {"role": "model", "parts": [{"text": "hi"}]}, "finishReason": "STOP"}]},
        {"content": {"role": "model", "parts": [{"text": "hi"}]}, "finish_reason": "STOP"},
        {"generations": [[{"text": "hi"}]]},
        {"generations": [[{"text": "hi", "message": {"kwargs": {"content": "hi", "type": "ai"}}}]]},
        {"type": "message", "role": "assistant", "content": [{"type": "text", "text": "hi"}], "stop_reason": "end_turn"},
    ],
)  # fmt: skip
def test_an_answer_is_found_in_every_form_of_document(document):
    assert normal({"gen_ai.output.messages": document}).output_messages == SAID


@pytest.mark.parametrize(
    "document",
    [
        {"system": "Be brief.", "messages": [{"role": "user", "content": "hi"}]},
        {"system_instruction": {"parts": [{"text": "Be brief."}]}, "contents": [{"role": "user", "parts": [{"text": "hi"}]}]},
        {"config": {"system_instruction": "Be brief."}, "contents": [{"role": "user", "parts": [{"text": "hi"}]}]},
    ],
)  # fmt: skip
def test_instructions_beside_the_messages_come_first(document):
    assert normal({"gen_ai.input.messages": document}).input_messages == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "hi"},
    ]


@pytest.mark.parametrize(
    "document", [{}, {"messages": 1}, {"choices": [1]}, {"message": {"message": {}}}, 7, {"a": []}]
)
def test_a_document_of_another_form_is_text(document):
    span = normal({"gen_ai.output.messages": document})

    assert (span.output_messages, span.output_text) == (None, json.dumps(document, separators=(",", ":")))


@pytest.mark.parametrize(
    ("prompt", "messages"),
    [
        ({"prompt": "hi"}, [{"role": "user", "content": "hi"}]),
        ({"system": "s", "prompt": "hi"}, [{"role": "system", "content": "s"}, {"role": "user", "content": "hi"}]),
        ({"prompt": [{"role": "user", "content": "hi"}]}, [{"role": "user", "content": "hi"}]),
        ({"messages": [{"role": "user", "content": "hi"}]}, [{"role": "user", "content": "hi"}]),
    ],
)
def test_the_prompt_of_the_ai_sdk_has_instructions_and_a_question(prompt, messages):
    assert normal({"ai.prompt": json.dumps(prompt)}).input_messages == messages


def test_an_answer_in_three_names_is_one_message():
    span = normal(
        {
            "ai.operationId": "ai.generateText.doGenerate",
            "ai.response.text": "Let me see.",
            "ai.response.reasoning": "hm",
            "ai.response.toolCalls": json.dumps([{"toolCallId": "c1", "toolName": "level", "args": {"river": "Elbe"}}]),
        }
    )

    assert span.output_messages == [
        {"role": "assistant", "content": "Let me see.", "tool_calls": [CALL], "reasoning": "hm"}
    ]


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ({"content": "hi", "cache_control": {"type": "ephemeral"}}, {"content": "hi", "cache_control": {"type": "ephemeral"}}),
        ({"content": "hi", "logprobs": None, "annotations": [], "refusal": ""}, {"content": "hi"}),
        ({"content": "hi", "index": 0}, {"content": "hi"}),
        ({"content": "hi", "index": 3}, {"content": "hi", "index": 3}),
        ({"content": "hi", "finish_reason": "length"}, {"content": "hi", "finish_reason": "length"}),
        ({"content": "hi", "name": {"first": "Ann"}}, {"content": "hi", "name": {"first": "Ann"}}),
        ({"parts": [{"type": "text", "content": "hi", "annotations": [1]}]}, {"content": "hi", "part_fields": [{"part": 0, "annotations": [1]}]}),
        (
            {"content": ["hi", {"type": "reasoning", "text": "hm", "signature": "s"}]},
            {"content": "hi", "reasoning": "hm", "part_fields": [{"part": 1, "signature": "s"}]},
        ),
        (
            {"content": [{"type": "tool_result", "tool_use_id": "c1", "content": "2 m", "is_error": True}]},
            {"content": "2 m", "tool_call_id": "c1", "part_fields": [{"part": 0, "is_error": True}]},
        ),
        ({"content": [{"text": "hm", "thought": True, "thoughtSignature": "s"}]}, {"content": None, "reasoning": "hm", "part_fields": [{"part": 0, "thoughtSignature": "s"}]}),
        ({"content": [{"reasoningContent": {"reasoningText": {"text": "hm", "signature": "s"}}}]}, {"content": None, "reasoning": "hm", "part_fields": [{"part": 0, "signature": "s"}]}),
        ({"content": [{"functionCall": {"name": "f", "willContinue": True}, "thoughtSignature": "s"}]}, {"content": None, "tool_calls": [{"name": "f", "willContinue": True, "thoughtSignature": "s"}]}),
        ({"content": [{"functionResponse": {"name": "f", "response": "2 m", "scheduling": "IDLE"}}]}, {"content": "2 m", "name": "f", "part_fields": [{"part": 0, "scheduling": "IDLE"}]}),
        ({"tool_calls": [{"type": "function", "index": 0, "function": {"name": "f", "strict": True}}]}, {"content": None, "tool_calls": [{"name": "f", "strict": True}]}),
        ({"tool_calls": [{"type": "custom", "id": "i", "call_id": "c", "name": "f"}]}, {"content": None, "tool_calls": [{"id": "i", "name": "f", "type": "custom", "call_id": "c"}]}),
        ({"type": "human", "data": {"content": "hi", "example": True}, "run": 7}, {"content": "hi", "example": True, "run": 7}),
        ({"lc": 1, "type": "constructor", "id": ["x"], "kwargs": {"content": "hi", "type": "human", "response_metadata": {"a": 1}}}, {"content": "hi", "response_metadata": {"a": 1}}),
    ],
)  # fmt: skip
def test_fields_without_a_place_stay_in_their_message(said, kept):
    messages = [{"role": "user", **said}] if "data" not in said and "kwargs" not in said else [said]

    (message,) = told(messages).input_messages

    assert {**message, "role": "user"} == {"role": "user", **kept}


def test_a_message_of_nothing_but_unknown_fields_stays_between_others():
    assert told([{"role": "user", "content": "hi"}, {"role": "system", "checkpoint": 7}]).input_messages == [
        {"role": "user", "content": "hi"},
        {"role": "system", "content": None, "checkpoint": 7},
    ]


def test_answers_that_ended_for_different_reasons_keep_theirs():
    choices = [{"index": 0, "message": {"content": "a"}, "finish_reason": "stop"}, {"index": 1, "message": {"content": "b"}, "finish_reason": "length"}]  # fmt: skip

    span = normal({"gen_ai.output.messages": {"choices": choices}})

    assert (span.finish_reason, span.output_messages) == (
        "stop",
        [{"role": "assistant", "content": "a"}, {"role": "assistant", "content": "b", "finish_reason": "length"}],
    )


def test_an_agents_reasoning_is_kept_beside_its_answer():
    span = normal({"ai.operationId": "ai.streamText", "ai.response.text": "2 m", "ai.response.reasoning": "hm"})

    assert span.output_messages == [{"role": "assistant", "content": "2 m", "reasoning": "hm"}]


def test_an_answer_of_an_agent_is_text():
    span = normal({"ai.operationId": "ai.generateText", "ai.response.text": "2 m"})

    assert (span.output_text, span.output_messages) == ("2 m", None)
