-- The spans numbered first_number to last_number - 1, computed from their numbers: the same every time, in order of time.
-- Twenty numbers make six traces of 1, 1, 2, 3, 5 and 8 spans. A trace has one project, service, environment and user.
INSERT INTO llm_traces (
    organisation_id, project_id, ts, trace_id, span_id, parent_span_id, ingested_at, duration_ms, prompt_cost_nanousd,
    completion_cost_nanousd, total_cost_nanousd, price_id, ttft_ms, uncached_input_tokens, cache_read_tokens,
    cache_write_5m_tokens, cache_write_1h_tokens, audio_input_tokens, visible_output_tokens, reasoning_tokens,
    audio_output_tokens, usage_counted, call_counted, streamed, span_name, span_kind, status_code, service_name,
    operation_name, provider, model, response_model, environment, user_id, session_id, team_id, error_type,
    finish_reason, unpriced_reason, tool_name, agent_name
)
SELECT
    %(organisation)s, project, ts, int8send(of_trace) || int8send(hashint8extended(trace, 4)),
    int8send(hashint8extended(number, 5)), CASE WHEN place > 0 THEN int8send(hashint8extended(parent, 5)) END,
    ts + interval '3 seconds', duration, input_cost, output_cost, input_cost + output_cost,
    CASE WHEN input_cost IS NOT NULL THEN model END,
    CASE WHEN streamed AND NOT failed THEN (duration * (0.05 + 0.35 * chance_4))::int END,
    uncached, cached, 0 * uncached, 0 * uncached, 0 * uncached, output, 0 * uncached, 0 * uncached,
    uncached IS NOT NULL, called, CASE WHEN operation = 'chat' THEN streamed END,
    CASE WHEN called THEN operation || ' ' || (%(models)s::text[])[model] ELSE operation END,
    CASE WHEN called THEN 'client' ELSE 'internal' END,
    CASE WHEN failed THEN 'ERROR' ELSE 'OK' END,
    (%(services)s::text[])[(project * 3 + service) %% 9 + 1], operation,
    (%(providers)s::text[])[model], (%(models)s::text[])[model], CASE WHEN NOT failed THEN (%(models)s::text[])[model] END,
    CASE WHEN trace_chance_3 < 0.88 THEN 'production' WHEN trace_chance_3 < 0.97 THEN 'staging' ELSE 'development' END,
    'user-' || to_char(project * 10000 + a_user, 'FM000000'), 'session-' || to_hex(trace / 3),
    CASE WHEN a_user %% 3 > 0 THEN 'team-' || a_user %% 17 END,
    CASE WHEN failed THEN (%(errors)s::text[])[floor(5 ^ chance_7)] END,
    CASE WHEN operation = 'chat' AND NOT failed THEN 'stop' END,
    CASE WHEN NOT called THEN NULL WHEN failed THEN 'no_usage' WHEN input_cost IS NULL THEN 'no_price' END,
    CASE WHEN operation = 'execute_tool' THEN 'search_orders' END,
    CASE WHEN operation = 'invoke_agent' THEN 'support-agent' END
FROM (
    SELECT *,
        -- Nano-dollars: a model without a price leaves its spans unpriced.
        uncached * (%(input_prices)s::int[])[model] + cached * (%(input_prices)s::int[])[model] / 10 AS input_cost,
        output * (%(output_prices)s::int[])[model]::bigint AS output_cost
    FROM (
        SELECT *,
            greatest(1, CASE operation
                WHEN 'embeddings' THEN 60 * exp(0.5 * normal)
                WHEN 'execute_tool' THEN 120 * exp(normal)
                WHEN 'invoke_agent' THEN 5000 * exp(0.7 * normal)
                ELSE (600 + 150 * (model %% 7)) * exp(0.8 * normal) END)::bigint AS duration,
            CASE WHEN called AND NOT failed THEN floor(40 * 120 ^ chance_5)::int END AS uncached,
            CASE WHEN called AND NOT failed THEN
                CASE WHEN operation = 'chat' AND trace_chance_4 < 0.4 THEN floor(500 * 20 ^ chance_8)::int ELSE 0 END
            END AS cached,
            CASE WHEN called AND NOT failed THEN
                CASE WHEN operation = 'chat' THEN floor(10 * 100 ^ chance_6)::int ELSE 0 END
            END AS output
        FROM (
            SELECT *,
                called AND chance_3 < 0.004 + 0.006 * (model %% 4) AS failed,
                operation = 'chat' AND trace_chance_2 < 0.6 AS streamed,
                sqrt(-2 * ln(1 - chance_1)) * cos(6.283185307179586 * chance_2) AS normal
            FROM (
                SELECT *,
                    CASE operation
                        WHEN 'chat' THEN (floor(11 ^ (chance_9 ^ 1.7))::int - 1 + 3 * project + 2 * service) %% 10 + 1
                        WHEN 'embeddings' THEN 11 + project %% 2
                    END AS model
                FROM (
                    SELECT *,
                        -- Zipf's law: rank r of N has about the chance of a uniform power of N + 1 to fall on it.
                        floor(9 ^ trace_chance_1)::int AS project,
                        floor(4 ^ trace_chance_5)::int AS service,
                        floor(%(users)s ^ trace_chance_6)::int AS a_user,
                        started + (place * 700 + chance_2 * 300) * interval '1 millisecond' AS ts
                    FROM (
                        SELECT *,
                            (of_trace & 65535) / 65536.0::float8 AS trace_chance_1,
                            (of_trace >> 16 & 65535) / 65536.0::float8 AS trace_chance_2,
                            (of_trace >> 32 & 65535) / 65536.0::float8 AS trace_chance_3,
                            (of_trace >> 48 & 65535) / 65536.0::float8 AS trace_chance_4,
                            (more_of_trace & 65535) / 65536.0::float8 AS trace_chance_5,
                            (more_of_trace >> 16 & 65535) / 65536.0::float8 AS trace_chance_6,
                            (of_span & 65535) / 65536.0::float8 AS chance_1,
                            (of_span >> 16 & 65535) / 65536.0::float8 AS chance_2,
                            (of_span >> 32 & 65535) / 65536.0::float8 AS chance_3,
                            (of_span >> 48 & 65535) / 65536.0::float8 AS chance_4,
                            (more_of_span & 65535) / 65536.0::float8 AS chance_5,
                            (more_of_span >> 16 & 65535) / 65536.0::float8 AS chance_6,
                            (more_of_span >> 32 & 65535) / 65536.0::float8 AS chance_7,
                            (more_of_span >> 48 & 65535) / 65536.0::float8 AS chance_8,
                            (last_of_span & 65535) / 65536.0::float8 AS chance_9
                        FROM (
                            SELECT *,
                                (%(operations)s::text[])[nth] AS operation,
                                (%(operations)s::text[])[nth] IN ('chat', 'embeddings') AS called,
                                hashint8extended(trace, 1) AS of_trace, hashint8extended(trace, 2) AS more_of_trace,
                                hashint8extended(number, 1) AS of_span, hashint8extended(number, 2) AS more_of_span,
                                hashint8extended(number, 3) AS last_of_span,
                                -- The nights are quiet: at noon come four times as many as at midnight.
                                %(midnight)s::timestamptz + interval '1 day' * (
                                    floor(day) + day - floor(day) + 0.6 / 6.283185307179586
                                        * sin(6.283185307179586 * (day - floor(day)))
                                ) AS started
                            FROM (
                                SELECT number, nth, number / 20 * 6 + (%(trace_of)s::int[])[nth] AS trace,
                                    (%(place_of)s::int[])[nth] AS place,
                                    -- The first is the root; what comes after the fifth belongs to that, a tool.
                                    number - (%(place_of)s::int[])[nth]
                                        + CASE WHEN (%(place_of)s::int[])[nth] > 4 THEN 4 ELSE 0 END AS parent,
                                    %(first_day)s + %(days)s * (number / 20)::float8 / %(blocks)s AS day
                                FROM (
                                    SELECT number, (number %% 20)::int + 1 AS nth
                                    FROM generate_series(%(first_number)s::bigint, %(last_number)s::bigint - 1) AS number
                                    OFFSET 0
                                ) AS numbered OFFSET 0
                            ) AS placed OFFSET 0
                        ) AS hashed OFFSET 0
                    ) AS chanced OFFSET 0
                ) AS owned OFFSET 0
            ) AS modelled OFFSET 0
        ) AS measured OFFSET 0
    ) AS used OFFSET 0
) AS priced
