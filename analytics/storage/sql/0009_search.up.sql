-- The words of a span's input (A) and output (B). It is made behind by the worker, or when a row without it is searched.
ALTER TABLE llm_contents ADD COLUMN search_vector tsvector;

-- Spans by their words. Rows without a vector cost the ingest path nothing here.
CREATE INDEX llm_contents_by_words ON llm_contents USING gin (search_vector) WHERE search_vector IS NOT NULL;
-- Rows that wait for their vector: what the worker takes next, and what a search has to scan.
CREATE INDEX llm_contents_unsearchable ON llm_contents (ts)
WHERE search_vector IS NULL AND (input_text IS NOT NULL OR output_text IS NOT NULL);
-- Days in the columnstore with rows that have no vector; they are scanned by every search until the worker made them.
CREATE TABLE search_backlog (
    day date PRIMARY KEY
);

-- A text as words with spaces between, for documents and questions alike: signs are spaces, identifiers are split where
-- their case changes, runs of Chinese, Japanese and Korean characters become pairs of neighbours. A document keeps the
-- last character of each run too.
CREATE FUNCTION observatory_words(given text, asked boolean) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    east constant text := '[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff]';
    words text := regexp_replace(given, '[!-/:-@\[-`{-~]+', ' ', 'g');
BEGIN
    IF words ~ '[[:lower:][:digit:]][[:upper:]]|[[:upper:]]{2}[[:lower:]]' THEN
        words := regexp_replace(words, '([[:lower:][:digit:]])([[:upper:]])', '\1 \2', 'g');
        words := regexp_replace(words, '([[:upper:]])([[:upper:]][[:lower:]])', '\1 \2', 'g');
    END IF;
    IF octet_length(words) > length(words) AND words ~ east THEN
        SELECT string_agg(
            CASE
                WHEN NOT eastern THEN one
                WHEN following IS NOT NULL THEN ' ' || one || following || ' '
                WHEN asked AND preceded THEN ' '
                ELSE ' ' || one || ' '
            END, '' ORDER BY place
        ) INTO words
        FROM (
            SELECT one, place, eastern,
                CASE WHEN lead(eastern) OVER in_order THEN lead(one) OVER in_order END AS following,
                coalesce(lag(eastern) OVER in_order, false) AS preceded
            FROM (
                SELECT one, place, one ~ east AS eastern
                FROM unnest(string_to_array(words, NULL)) WITH ORDINALITY AS characters (one, place)
            ) AS known
            WINDOW in_order AS (ORDER BY place)
        ) AS neighbours;
    END IF;
    RETURN words;
END $$;

-- The identifiers of a text whose case changes, whole and in lower case.
CREATE FUNCTION observatory_identifiers(given text) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
    IF given !~ '[[:lower:][:digit:]][[:upper:]]|[[:upper:]]{2}[[:lower:]]' THEN
        RETURN '';
    END IF;
    RETURN (
        SELECT coalesce(string_agg(lower(parts[1]), ' '), '') FROM regexp_matches(
            given,
            '([[:alnum:]]*(?:[[:lower:][:digit:]][[:upper:]]|[[:upper:]]{2}[[:lower:]])[[:alnum:]]*)', 'g'
        ) AS matched (parts)
    );
END $$;

-- Stems, exact words and whole identifiers of one text. The word # keeps them apart, so that no phrase is found across.
CREATE FUNCTION observatory_lexemes(given text) RETURNS tsvector
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    words constant text := observatory_words(given, false);
    gap constant tsvector := '''#'':16';
BEGIN
    RETURN to_tsvector('english', words) || gap || to_tsvector('simple', words) || gap
        || to_tsvector('simple', observatory_identifiers(given)) || gap;
END $$;

-- The word that only rows of one project have, so that the index finds nobody else's.
CREATE FUNCTION observatory_project_words(project integer) RETURNS tsquery
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT format('''project %s''', project)::tsquery $$;

-- The search vector of a row. Texts whose words do not fit into one are taken up to 32,768 characters each.
CREATE FUNCTION observatory_document(project integer, input_text text, output_text text) RETURNS tsvector
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    owner constant tsvector := array_to_tsvector(ARRAY[format('project %s', project)]);
BEGIN
    RETURN owner || setweight(observatory_lexemes(coalesce(input_text, '')), 'A')
        || setweight(observatory_lexemes(coalesce(output_text, '')), 'B');
EXCEPTION WHEN program_limit_exceeded THEN
    RETURN owner || setweight(observatory_lexemes(left(coalesce(input_text, ''), 32768)), 'A')
        || setweight(observatory_lexemes(left(coalesce(output_text, ''), 32768)), 'B');
END $$;

-- What a question of words, "phrases", OR and -word means, in the classes `weights`; null when it has no word. AND binds
-- closer than OR. Words match by stem or exactly; those that say nothing in English count only where no other does.
CREATE FUNCTION observatory_question(given text, weights text) RETURNS tsquery
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    element record;
    words text;
    stems tsquery;
    one tsquery;
    strong tsquery;
    weak tsquery;
    either tsquery;
BEGIN
    FOR element IN
        SELECT parts[1] = '-' AS minus, parts[2] AS phrase, parts[3] AS word
        FROM regexp_matches(given || ' OR', '(-?)(?:"([^"]*)"?|([^\s"]+))', 'g') AS matched (parts)
    LOOP
        IF element.word = 'OR' AND NOT element.minus THEN
            strong := coalesce(strong, weak);
            either := CASE WHEN either IS NULL THEN strong WHEN strong IS NULL THEN either ELSE either || strong END;
            strong := NULL;
            weak := NULL;
            CONTINUE;
        END IF;
        words := observatory_words(coalesce(element.phrase, element.word), true);
        stems := phraseto_tsquery('english', words);
        one := phraseto_tsquery('simple', words);
        CONTINUE WHEN numnode(one) = 0;
        IF length(btrim(words)) = 1 AND btrim(words) > U&'\3040' THEN
            one := (quote_literal(btrim(words)) || ':*')::tsquery;
        ELSIF element.word ~ '[[:lower:][:digit:]][[:upper:]]|[[:upper:]]{2}[[:lower:]]' THEN
            one := one || plainto_tsquery('simple', lower(element.word));
        END IF;
        IF element.minus THEN
            one := !! CASE WHEN numnode(stems) = 0 OR stems = one THEN one ELSE stems || one END;
        ELSIF numnode(stems) = 0 AND element.phrase IS NULL THEN
            weak := CASE WHEN weak IS NULL THEN one ELSE weak && one END;
            CONTINUE;
        ELSIF numnode(stems) > 0 AND stems <> one THEN
            one := stems || one;
        END IF;
        strong := CASE WHEN strong IS NULL THEN one ELSE strong && one END;
    END LOOP;
    IF weights <> 'AB' THEN
        either := replace(
            regexp_replace(either::text, '(''(?:[^''\\]|''''|\\.)*'')(?=[^:'']|$)', '\1:' || weights, 'g'),
            ':*', ':*' || weights
        )::tsquery;
    END IF;
    RETURN either;
END $$;

-- Links between traces, in both directions; rows of `llm_contents.links`. ts is the start of the span that links.
CREATE TABLE trace_links (
    organisation_id integer NOT NULL,
    project_id integer NOT NULL,
    linked_trace_id bytea NOT NULL,
    trace_id bytea NOT NULL,
    span_id bytea NOT NULL,
    linked_span_id bytea NOT NULL,
    ts timestamptz NOT NULL,
    -- Who links to a trace.
    PRIMARY KEY (organisation_id, project_id, linked_trace_id, trace_id, span_id, linked_span_id)
);
-- What a trace links to.
CREATE INDEX trace_links_of_trace ON trace_links (organisation_id, project_id, trace_id);

-- What people and programs say about a trace afterwards; span_id is null where it is about the whole. ts is the start
-- of the span, or of the trace, by which the rows age like the spans.
CREATE TABLE trace_feedback (
    organisation_id integer NOT NULL,
    project_id integer NOT NULL,
    trace_id bytea NOT NULL,
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    span_id bytea,
    ts timestamptz NOT NULL,
    created_at timestamptz NOT NULL,
    score numeric NOT NULL,
    resolved boolean,
    comment text,
    user_id text,
    labels text[],
    -- Those of a trace, which is found by its id.
    PRIMARY KEY (organisation_id, project_id, trace_id, id)
);
CREATE TABLE trace_evaluations (
    organisation_id integer NOT NULL,
    project_id integer NOT NULL,
    trace_id bytea NOT NULL,
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    span_id bytea,
    ts timestamptz NOT NULL,
    created_at timestamptz NOT NULL,
    evaluator_name text NOT NULL,
    score numeric,
    passed boolean,
    label text,
    explanation text,
    PRIMARY KEY (organisation_id, project_id, trace_id, id)
);
-- Quality of a project over time.
CREATE INDEX trace_feedback_by_time ON trace_feedback (organisation_id, project_id, ts);
CREATE INDEX trace_evaluations_by_time ON trace_evaluations (organisation_id, project_id, ts);
