#!/bin/sh
# The database and its two roles: the owner, which migrates, and the service, which row security binds.
set -eu
psql --username postgres --set ON_ERROR_STOP=1 \
  --set owner_password="$OWNER_PASSWORD" --set service_password="$SERVICE_PASSWORD" <<'SQL'
CREATE ROLE observatory_owner LOGIN PASSWORD :'owner_password';
CREATE ROLE observatory_service LOGIN PASSWORD :'service_password';
CREATE DATABASE observatory OWNER observatory_owner ENCODING 'UTF8' TEMPLATE template0;
REVOKE ALL ON DATABASE observatory FROM PUBLIC;
GRANT CONNECT, TEMPORARY ON DATABASE observatory TO observatory_service;
\connect observatory
ALTER SCHEMA public OWNER TO observatory_owner;
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO observatory_service;
ALTER DEFAULT PRIVILEGES FOR ROLE observatory_owner GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO observatory_service;
ALTER DEFAULT PRIVILEGES FOR ROLE observatory_owner GRANT USAGE, SELECT ON SEQUENCES TO observatory_service;
ALTER DEFAULT PRIVILEGES FOR ROLE observatory_owner GRANT EXECUTE ON FUNCTIONS TO observatory_service;
CREATE EXTENSION IF NOT EXISTS timescaledb;
SQL
