ALTER TABLE model_version ADD COLUMN deleted_at TEXT;
ALTER TABLE alias_move ALTER COLUMN digest DROP NOT NULL;
ALTER TABLE alias_move ADD COLUMN token BIGINT NOT NULL DEFAULT 0;
CREATE TABLE fence (scope TEXT PRIMARY KEY, token BIGINT NOT NULL);
CREATE TABLE lease (name TEXT PRIMARY KEY, token BIGINT NOT NULL, holder TEXT, until TEXT);
CREATE TABLE feature_view (version TEXT PRIMARY KEY, definition TEXT NOT NULL, watermark BIGINT, newest_event BIGINT, newest_known BIGINT);
CREATE TABLE feature_row (
    view TEXT NOT NULL, entity TEXT NOT NULL, event_time BIGINT NOT NULL, known_at BIGINT NOT NULL, arrival BIGINT NOT NULL, content TEXT NOT NULL,
    PRIMARY KEY (view, entity, event_time, known_at, arrival)
);
CREATE INDEX feature_row_by_knowledge ON feature_row (view, known_at);
INSERT INTO noops_schema (version) VALUES (2);
