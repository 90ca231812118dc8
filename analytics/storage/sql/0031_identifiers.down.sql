-- A text as words with spaces between, for documents and questions alike: signs are spaces, identifiers are split where
-- their case changes, runs of Chinese, Japanese and Korean characters become pairs of neighbours. A document keeps the
-- last character of each run too.
CREATE OR REPLACE FUNCTION observatory_words(given text, asked boolean) RETURNS text
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
CREATE OR REPLACE FUNCTION observatory_identifiers(given text) RETURNS text
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
CREATE OR REPLACE FUNCTION observatory_lexemes(given text) RETURNS tsvector
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    words constant text := observatory_words(given, false);
    gap constant tsvector := '''#'':16';
BEGIN
    RETURN to_tsvector('english', words) || gap || to_tsvector('simple', words) || gap
        || to_tsvector('simple', observatory_identifiers(given)) || gap;
END $$;

-- What a question of words, "phrases", OR and -word means, in the classes `weights`; null when it has no word. AND binds
-- closer than OR. Words match by stem or exactly; those that say nothing in English count only where no other does.
CREATE OR REPLACE FUNCTION observatory_question(given text, weights text) RETURNS tsquery
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

DROP FUNCTION observatory_pieces(text, regconfig);
