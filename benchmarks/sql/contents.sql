-- Content of the newest spans: model calls say about 1.7 KB, everything else next to nothing. Texts are cut from one.
INSERT INTO llm_contents (
    organisation_id, project_id, ts, trace_id, span_id, response_id, input_text, output_text, input_messages,
    output_messages, request_parameters, cost_breakdown, attributes, resource_attributes, instrumentation_scope
)
SELECT
    organisation_id, project_id, ts, trace_id, span_id,
    CASE WHEN called THEN 'chatcmpl-' || encode(span_id, 'hex') END,
    CASE WHEN called THEN asked END,
    CASE WHEN called THEN answered END,
    CASE WHEN called THEN jsonb_build_array(jsonb_build_object(
        'role', 'user', 'parts', jsonb_build_array(jsonb_build_object('type', 'text', 'content', asked)))) END,
    CASE WHEN called THEN jsonb_build_array(jsonb_build_object('role', 'assistant', 'finish_reason', 'stop',
        'parts', jsonb_build_array(jsonb_build_object('type', 'text', 'content', answered)))) END,
    CASE WHEN called THEN '{"temperature": 0.2, "max_tokens": 1024}'::jsonb END,
    CASE WHEN priced THEN jsonb_build_object('input', '0.0012', 'output', '0.0034') END,
    jsonb_build_object('server.address', 'api.example.com', 'shop.tenant', place %% 50),
    '{"service.version": "2.7.1", "telemetry.sdk.language": "python"}'::jsonb,
    '{"name": "benchmark", "version": "1"}'::jsonb
FROM (
    SELECT *, substr(%(text)s, place + 1, 500) AS asked, substr(%(text)s, place + 501, 400) AS answered
    FROM (
        SELECT organisation_id, project_id, ts, trace_id, span_id, operation_name = 'chat' AS called,
            total_cost_nanousd IS NOT NULL AS priced, (hashtextextended(encode(span_id, 'hex'), 1) & 4095)::int AS place
        FROM llm_traces WHERE organisation_id = %(organisation)s ORDER BY ts DESC LIMIT %(spans)s
    ) AS chosen OFFSET 0
) AS told
