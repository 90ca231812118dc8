-- A vector keeps 255 places of a word, and places up to 16,383. Where it has not kept all, it says so: `often word` of a
-- word that has more places, `too long` where a text goes on behind or was cut. A question that needs those is answered
-- from the text.

-- Stems, exact words and whole identifiers of one text. The word # keeps them apart, so that no phrase is found across.
CREATE OR REPLACE FUNCTION observatory_lexemes(given text) RETURNS tsvector
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    words constant text := observatory_words(given, false);
    gap constant tsvector := '''#'':16';
BEGIN
    RETURN to_tsvector('english', words) || gap || to_tsvector('simple', words) || gap
        || ts_delete(to_tsvector('simple', observatory_identifiers(given)), 'observatorygap') || gap;
END $$;
DROP FUNCTION observatory_pieces(text, regconfig);

-- What a vector has not kept of its words. Most have kept all.
CREATE FUNCTION observatory_lacks(made tsvector) RETURNS tsvector
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    lacking text[];
BEGIN
    IF NOT EXISTS (
        SELECT FROM unnest(made) AS word
        WHERE cardinality(word.positions) >= 255 OR word.positions[cardinality(word.positions)] >= 16383
    ) THEN
        RETURN '';
    END IF;
    SELECT array_agg('often ' || left(word.lexeme, 400)) FILTER (WHERE cardinality(word.positions) >= 255)
        || CASE WHEN bool_or(word.positions[cardinality(word.positions)] >= 16383) THEN ARRAY['too long'] END
    INTO lacking FROM unnest(made) AS word;
    RETURN array_to_tsvector(lacking);
END $$;

-- The search vector of a row. Texts whose words do not fit into one are taken up to 32,768 characters each.
CREATE OR REPLACE FUNCTION observatory_document(project integer, input_text text, output_text text) RETURNS tsvector
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    owner constant text := format('project %s', project);
    made tsvector;
BEGIN
    made := setweight(observatory_lexemes(coalesce(input_text, '')), 'A')
        || setweight(observatory_lexemes(coalesce(output_text, '')), 'B');
    IF length(concat(input_text, output_text)) <= 120 THEN  -- no word can have as many places
        RETURN array_to_tsvector(ARRAY[owner]) || made;
    END IF;
    RETURN array_to_tsvector(ARRAY[owner]) || observatory_lacks(made) || made;
EXCEPTION WHEN program_limit_exceeded THEN
    made := setweight(observatory_lexemes(left(coalesce(input_text, ''), 32768)), 'A')
        || setweight(observatory_lexemes(left(coalesce(output_text, ''), 32768)), 'B');
    RETURN array_to_tsvector(ARRAY[owner, 'too long']) || observatory_lacks(made) || made;
END $$;

-- The words of a text in their order, with one space around each: as stems, where `.` stands for one that says nothing,
-- then exactly, then the whole identifiers. They are those of its vector, however many there are.
CREATE FUNCTION observatory_readings(given text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT concat(' ', string_agg(parsed.stem, ' ' ORDER BY parsed.place), ' # ',
        string_agg(parsed.word, ' ' ORDER BY parsed.place), ' # ', (
            SELECT string_agg(CASE found.token WHEN 'observatorygap' THEN '#' ELSE lower(found.token) END, ' '
                ORDER BY found.place)
            FROM ts_parse('default', observatory_identifiers(given)) WITH ORDINALITY AS found (kind, token, place)
            WHERE found.kind NOT IN (12, 13, 14, 21) AND octet_length(found.token) < 2047
        ), ' ')
    FROM (
        SELECT found.place, lower(found.token) AS word,
            CASE WHEN found.kind IN (1, 2) THEN coalesce((ts_lexize('english_stem', found.token))[1], '.')
                ELSE lower(found.token) END AS stem
        FROM ts_parse('default', observatory_words(given, false)) WITH ORDINALITY AS found (kind, token, place)
        WHERE found.kind NOT IN (12, 13, 14, 21) AND octet_length(found.token) < 2047
    ) AS parsed
$$;

-- Whether texts answer a question of phrases, each told by its place among `phrases`: `'0' & !'1'`. The words of a phrase
-- have one space around each; one with a star behind it begins a word.
CREATE FUNCTION observatory_answers(input_text text, output_text text, phrases text[], question tsquery) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 100000 AS $$
    WITH told AS MATERIALIZED (
        SELECT observatory_readings(given.text) AS words FROM (VALUES (input_text), (output_text)) AS given (text)
        WHERE given.text IS NOT NULL
    )
    SELECT array_to_tsvector(coalesce(array_agg(DISTINCT (asked.place - 1)::text), '{}')) @@ question
    FROM told JOIN unnest(phrases) WITH ORDINALITY AS asked (phrase, place)
        ON CASE WHEN strpos(asked.phrase, '*') = 0 THEN strpos(told.words, asked.phrase) > 0
            ELSE told.words ~ replace(asked.phrase, '*', '[^ ]*') END
$$;
