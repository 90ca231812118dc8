DROP FUNCTION observatory_answers(text, text, text[], tsquery);
DROP FUNCTION observatory_readings(text);

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

-- The search vector of a row. Texts whose words do not fit into one are taken up to 32,768 characters each.
CREATE OR REPLACE FUNCTION observatory_document(project integer, input_text text, output_text text) RETURNS tsvector
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

DROP FUNCTION observatory_lacks(tsvector);
