"""What a project says of content and personal data, from the request to the reply."""

import pytest

from tests.analytics.api.payloads import request, span

MESSAGE = "Write to bob@example.com, card 4111 1111 1111 1111."
FIELDS = "input_text,output_text,input_messages,attributes,redactions,prompt_tokens,user_id,tool_name,error_message"


@pytest.fixture
def project(tenant):
    (project,) = tenant.projects
    return project


def read_back(api, **attributes):
    told = {
        "gen_ai.operation.name": "chat",
        "gen_ai.prompt": MESSAGE,
        "gen_ai.usage.input_tokens": 7,
        "gen_ai.tool.name": "mail",
        "user.id": "bob@example.com",
        "note": "ask eve@example.com",
        **attributes,
    }
    assert api.post("/v1/traces", request(span(attributes=told)), content_type="application/json").status_code == 200
    found, *_ = api.get("/api/v1/traces", {"fields": FIELDS}, headers={"Cache-Control": "no-cache"}).json()["data"]
    return found


def test_a_new_project_masks_what_it_is_sent(api, project):
    assert read_back(api) == {
        "input_text": "Write to [EMAIL], card [CARD].",
        "output_text": None,
        "input_messages": None,
        "attributes": {"note": "ask [EMAIL]"},
        "redactions": {"email": 2, "card": 1},
        "prompt_tokens": 7,
        "user_id": "bob@example.com",
        "tool_name": "mail",
        "error_message": None,
    }


def test_a_project_that_redacts_nothing_keeps_everything(api, project):
    project.redaction = {**project.redaction, "mode": "off"}
    project.save()

    found = read_back(api)

    assert (found["input_text"], found["attributes"], found["redactions"]) == (
        MESSAGE,
        {"note": "ask eve@example.com"},
        None,
    )


def test_a_pattern_of_the_project_is_told_by_its_name(api, project):
    project.redaction = {
        "mode": "mask",
        "detectors": [],
        "custom_patterns": [{"name": "PERSON", "pattern": "bob|eve"}],
    }
    project.save()

    found = read_back(api)

    assert (found["attributes"], found["redactions"]) == ({"note": "ask [PERSON]@example.com"}, {"PERSON": 2})


def test_a_project_without_content_keeps_the_numbers(api, project):
    project.content_capture = "none"
    project.save()

    found = read_back(api, **{"input.value": [[MESSAGE]]})

    assert found == {
        "input_text": None,
        "output_text": None,
        "input_messages": None,
        "attributes": {"note": "ask [EMAIL]"},
        "redactions": {"email": 1},
        "prompt_tokens": 7,
        "user_id": "bob@example.com",
        "tool_name": "mail",
        "error_message": None,
    }


def test_a_project_says_whose_totals_leave_out_their_parts(api, project):
    cached = {"gen_ai.usage.cache_read.input_tokens": 3}
    before = read_back(api, **cached)["prompt_tokens"]
    project.usage_exclusive_scopes = ["tests"]
    project.save()

    assert (before, read_back(api, **cached)["prompt_tokens"]) == (7, 10)


def test_what_is_not_mapped_is_found_in_the_trace_and_without_content_is_gone(api, project):
    names = "spans.attributes,spans.events,spans.input_messages,spans.output_text"

    def told():
        one = span(
            attributes={
                "gen_ai.input.messages": '[{"role": "user", "content": "hi", "cache_control": "app-one"}]',
                "mlflow.spanOutputs": '{"id": "app-two", "choices": [{"message": {"content": "ho"}}]}',
                "llm.prompts.0.prompt.template": "app-three",
            },
            events=[
                {"name": name, "timeUnixNano": "1", "attributes": [{"key": key, "value": {"stringValue": value}}]}
                for name, key, value in (("gen_ai.choice", "strange", "app-four"), ("mine", "note", "app-five"))
            ],
        )
        assert api.post("/v1/traces", request(one), content_type="application/json").status_code == 200
        reply = api.get(f"/api/v1/traces/{one['traceId']}", {"include": "children", "fields": names})
        return reply.content.decode()

    words = ("app-one", "app-two", "app-three", "app-four", "app-five", '"ho"')
    kept = told()
    project.content_capture = "none"
    project.save()
    gone = told()

    assert [kept.count(word) for word in words] == [1] * len(words)
    assert [word for word in words if word in gone] == ["app-five"]
