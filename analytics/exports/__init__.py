"""Spans as files: jobs that are written step by step, kept for a while, and read over HTTP or from a folder."""
