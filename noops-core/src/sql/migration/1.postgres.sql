CREATE TABLE artifact (digest TEXT PRIMARY KEY, bytes BYTEA NOT NULL);
CREATE TABLE model_version (
    model TEXT NOT NULL, number BIGINT NOT NULL, digest TEXT NOT NULL, registration TEXT NOT NULL,
    PRIMARY KEY (model, number), UNIQUE (model, digest)
);
CREATE TABLE alias_move (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, model TEXT NOT NULL, alias TEXT NOT NULL, digest TEXT NOT NULL, since TEXT NOT NULL,
    FOREIGN KEY (model, digest) REFERENCES model_version (model, digest)
);
CREATE INDEX alias_move_by_alias ON alias_move (model, alias, id);
CREATE TABLE audit (
    sequence BIGINT PRIMARY KEY, key TEXT NOT NULL UNIQUE, record TEXT NOT NULL, previous TEXT NOT NULL, hash TEXT NOT NULL
);
CREATE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'the audit log is append-only'; END $$;
CREATE TRIGGER audit_is_never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON audit EXECUTE FUNCTION audit_is_append_only();
CREATE TABLE state (key TEXT PRIMARY KEY, generation BIGINT NOT NULL, bytes BYTEA NOT NULL);
INSERT INTO noops_schema (version) VALUES (1);
