"""The whole service under people and emitters together."""
