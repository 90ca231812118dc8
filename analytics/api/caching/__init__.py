"""HTTP caching of analytic routes: data versions, validators, and rendered replies in Redis."""
