CREATE TABLE artifact (digest TEXT PRIMARY KEY, bytes BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE model_version (
    model TEXT NOT NULL, number INTEGER NOT NULL, digest TEXT NOT NULL, registration TEXT NOT NULL,
    PRIMARY KEY (model, number), UNIQUE (model, digest)
) STRICT;
CREATE TABLE alias_move (
    id INTEGER PRIMARY KEY AUTOINCREMENT, model TEXT NOT NULL, alias TEXT NOT NULL, digest TEXT NOT NULL, since TEXT NOT NULL,
    FOREIGN KEY (model, digest) REFERENCES model_version (model, digest)
) STRICT;
CREATE INDEX alias_move_by_alias ON alias_move (model, alias, id);
CREATE TABLE audit (
    sequence INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, record TEXT NOT NULL, previous TEXT NOT NULL, hash TEXT NOT NULL
) STRICT;
CREATE TRIGGER audit_is_never_updated BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER audit_is_never_deleted BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE TABLE state (key TEXT PRIMARY KEY, generation INTEGER NOT NULL, bytes BLOB NOT NULL) STRICT, WITHOUT ROWID;
PRAGMA user_version = 1;
