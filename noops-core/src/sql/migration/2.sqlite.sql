ALTER TABLE model_version ADD COLUMN deleted_at TEXT;
CREATE TABLE alias_move_2 (
    id INTEGER PRIMARY KEY AUTOINCREMENT, model TEXT NOT NULL, alias TEXT NOT NULL, digest TEXT, since TEXT NOT NULL, token INTEGER NOT NULL,
    FOREIGN KEY (model, digest) REFERENCES model_version (model, digest)
) STRICT;
INSERT INTO alias_move_2 (id, model, alias, digest, since, token) SELECT id, model, alias, digest, since, 0 FROM alias_move;
DROP TABLE alias_move;
ALTER TABLE alias_move_2 RENAME TO alias_move;
CREATE INDEX alias_move_by_alias ON alias_move (model, alias, id);
CREATE TRIGGER audit_is_never_replaced BEFORE INSERT ON audit WHEN EXISTS (SELECT 1 FROM audit WHERE sequence = NEW.sequence OR key = NEW.key)
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE TABLE fence (scope TEXT PRIMARY KEY, token INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE lease (name TEXT PRIMARY KEY, token INTEGER NOT NULL, holder TEXT, until TEXT) STRICT, WITHOUT ROWID;
CREATE TABLE feature_view (version TEXT PRIMARY KEY, definition TEXT NOT NULL, watermark INTEGER, newest_event INTEGER, newest_known INTEGER) STRICT, WITHOUT ROWID;
CREATE TABLE feature_row (
    view TEXT NOT NULL, entity TEXT NOT NULL, event_time INTEGER NOT NULL, known_at INTEGER NOT NULL, arrival INTEGER NOT NULL, content TEXT NOT NULL,
    PRIMARY KEY (view, entity, event_time, known_at, arrival)
) STRICT, WITHOUT ROWID;
CREATE INDEX feature_row_by_knowledge ON feature_row (view, known_at);
PRAGMA user_version = 2;
