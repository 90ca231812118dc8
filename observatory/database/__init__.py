"""Django's PostgreSQL backend with every statement measured."""
