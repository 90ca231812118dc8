-- A text as words with spaces between, for documents and questions alike: signs are spaces, identifiers are split where
-- their case changes, runs of Chinese, Japanese and Korean characters become pairs of neighbours. The last character of
-- a run is kept too; not at the end of a question, behind which the run of a document may go on.
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
        words := rtrim(words);
        SELECT string_agg(
            CASE
                WHEN NOT eastern THEN one
                WHEN following IS NOT NULL THEN ' ' || one || following || ' '
                WHEN asked AND preceded AND place = length(words) THEN ' '
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

-- The identifiers of a text whose case changes, with what signs join to them, in lower case and not split by case:
-- MyClass.parseJSON is myclass parsejson. A word that is removed again stands between two, so that no phrase joins them.
CREATE OR REPLACE FUNCTION observatory_identifiers(given text) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
    IF given !~ '[[:lower:][:digit:]][[:upper:]]|[[:upper:]]{2}[[:lower:]]' THEN
        RETURN '';
    END IF;
    RETURN (
        SELECT coalesce(string_agg(observatory_words(lower(joined[1]), false), ' observatorygap '), '')
        FROM regexp_matches(given, '[^\s"''`,;<>(){}\[\]]+', 'g') AS matched (joined)
        WHERE joined[1] ~ '[[:lower:][:digit:]][[:upper:]]|[[:upper:]]{2}[[:lower:]]'
    );
END $$;

-- The vector of words of any number. A vector counts positions up to 16,383, behind which no phrase is found: of long
-- texts pieces are counted from the beginning each, and overlap by a few words.
CREATE FUNCTION observatory_pieces(words text, configuration regconfig) RETURNS tsvector
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    longest constant integer := 16000;
    overlap constant integer := 200;
    total constant integer := length(words);
    place integer := 1;
    piece text;
    joined text := '';
BEGIN
    IF total <= longest THEN
        RETURN to_tsvector(configuration, words);
    END IF;
    LOOP
        piece := substr(words, place, longest);
        IF place + longest > total THEN
            RETURN concat(joined, to_tsvector(configuration, piece))::tsvector;
        END IF;
        piece := regexp_replace(piece, '\S+$', '');
        IF length(piece) <= overlap THEN  -- one word of such a length is not kept
            place := place + longest;
            CONTINUE;
        END IF;
        joined := concat(joined, to_tsvector(configuration, piece), ' ');
        place := place + length(piece) - overlap + strpos(right(piece, overlap), ' ');
    END LOOP;
END $$;

-- Stems, exact words and whole identifiers of one text. The word # keeps them apart, so that no phrase is found across.
CREATE OR REPLACE FUNCTION observatory_lexemes(given text) RETURNS tsvector
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    words constant text := observatory_words(given, false);
    gap constant tsvector := '''#'':16';
BEGIN
    RETURN observatory_pieces(words, 'english') || gap || observatory_pieces(words, 'simple') || gap
        || ts_delete(observatory_pieces(observatory_identifiers(given), 'simple'), 'observatorygap') || gap;
END $$;

-- What a question of words, "phrases", OR and -word means, in the classes `weights`; null when it has no word. AND binds
-- closer than OR. Words match by stem or exactly, identifiers also whole; words that say nothing in English count only
-- where no other does; a phrase or an identifier with one is taken exactly. One eastern character begins its pair.
CREATE OR REPLACE FUNCTION observatory_question(given text, weights text) RETURNS tsquery
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    east constant text := '[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff]';
    element record;
    asked text;
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
        asked := coalesce(element.phrase, element.word);
        words := observatory_words(asked, true);
        stems := phraseto_tsquery('english', words);
        one := phraseto_tsquery('simple', words);
        CONTINUE WHEN numnode(one) = 0;
        IF numnode(stems) BETWEEN 1 AND numnode(one) - 1 THEN
            stems := one;
        END IF;
        IF asked ~ '[[:lower:][:digit:]][[:upper:]]|[[:upper:]]{2}[[:lower:]]' THEN
            one := one || phraseto_tsquery('simple', observatory_words(lower(asked), true));
        END IF;
        IF words ~ east THEN
            stems := regexp_replace(stems::text, format('''(%s)''', east), '''\1'':*', 'g')::tsquery;
            one := regexp_replace(one::text, format('''(%s)''', east), '''\1'':*', 'g')::tsquery;
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
