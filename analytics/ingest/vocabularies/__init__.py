"""The vocabularies that spans are told in, as data."""
