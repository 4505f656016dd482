// The tables and views of an export as an SQLite file. What they hold: docs/export.md,
// events.sqlite.
#pragma once

namespace sagalog::tools {

// Run when the file is new. The tables are made of what the export holds: of a saga that began
// before its range, only what happened within is known.
inline constexpr const char* kExportTables = R"(
CREATE TABLE export (manifest TEXT NOT NULL);
CREATE TABLE events (
  sequence INTEGER PRIMARY KEY,
  saga_id TEXT,
  version INTEGER NOT NULL,
  previous INTEGER NOT NULL,
  time TEXT NOT NULL,
  type TEXT NOT NULL,
  actor TEXT,
  principal TEXT,
  request_id TEXT,
  traceparent TEXT,
  stub INTEGER NOT NULL,
  body TEXT NOT NULL,
  bytes BLOB NOT NULL
);
CREATE TABLE sagas (
  saga_id TEXT PRIMARY KEY,
  key TEXT,
  generation INTEGER,
  queue TEXT,
  priority INTEGER,
  parent TEXT,
  state TEXT,
  stage TEXT,
  section TEXT,
  version INTEGER,
  first_sequence INTEGER,
  last_sequence INTEGER,
  planned_at TEXT,
  ended_at TEXT,
  reason TEXT,
  result TEXT,
  exit_code INTEGER,
  owner TEXT,
  lease INTEGER,
  leases INTEGER NOT NULL DEFAULT 0,
  recoveries INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE TABLE leases (
  sequence INTEGER PRIMARY KEY,
  saga_id TEXT NOT NULL,
  kind TEXT NOT NULL,
  how TEXT,
  token INTEGER,
  owner TEXT,
  host TEXT,
  boot_id TEXT,
  pid INTEGER,
  taken_from TEXT,
  begun_at TEXT NOT NULL,
  expires_at TEXT,
  heartbeats INTEGER NOT NULL DEFAULT 0,
  last_heartbeat_at TEXT,
  progress TEXT,
  ended_sequence INTEGER,
  ended_at TEXT,
  ended_by TEXT
);
CREATE TABLE refusals (
  sequence INTEGER NOT NULL,
  position INTEGER NOT NULL,
  saga_id TEXT,
  command TEXT,
  code TEXT,
  detail TEXT,
  time TEXT,
  actor TEXT,
  principal TEXT,
  owner TEXT,
  token INTEGER,
  expected_version INTEGER,
  holder TEXT,
  actual_version INTEGER,
  actual_state TEXT,
  actual_stage TEXT,
  PRIMARY KEY (sequence, position)
) WITHOUT ROWID;
CREATE TABLE compensations (
  saga_id TEXT NOT NULL,
  id TEXT NOT NULL,
  kind TEXT,
  target TEXT,
  params TEXT,
  "when" TEXT,
  state TEXT NOT NULL,
  registered_sequence INTEGER,
  registered_at TEXT,
  attempts INTEGER NOT NULL DEFAULT 0,
  executor TEXT,
  claimed_at TEXT,
  expires_at TEXT,
  settled_sequence INTEGER,
  settled_at TEXT,
  outcome TEXT,
  detail TEXT,
  PRIMARY KEY (saga_id, id)
) WITHOUT ROWID;
CREATE TABLE recoveries (
  sequence INTEGER PRIMARY KEY,
  saga_id TEXT NOT NULL,
  time TEXT NOT NULL,
  decision TEXT NOT NULL,
  reasons TEXT,
  evidence TEXT,
  section_outcome TEXT,
  gate TEXT,
  counts INTEGER NOT NULL,
  observed INTEGER,
  owner TEXT,
  host TEXT,
  actor TEXT,
  principal TEXT
);
CREATE TABLE effects (
  sequence INTEGER PRIMARY KEY,
  saga_id TEXT NOT NULL,
  effect TEXT NOT NULL,
  scope TEXT,
  fingerprint TEXT,
  begun_at TEXT,
  begun_by TEXT,
  settled_sequence INTEGER,
  settled_at TEXT,
  settled_in TEXT,
  outcome TEXT,
  result TEXT
);
CREATE TABLE sections (
  sequence INTEGER PRIMARY KEY,
  saga_id TEXT NOT NULL,
  name TEXT,
  owner TEXT,
  max_age_seconds REAL,
  entered_at TEXT NOT NULL,
  left_sequence INTEGER,
  left_at TEXT,
  left_by TEXT,
  outcome TEXT
);
CREATE TABLE owner_reports (
  sequence INTEGER PRIMARY KEY,
  saga_id TEXT NOT NULL,
  time TEXT NOT NULL,
  owner TEXT,
  host TEXT,
  boot_id TEXT,
  pid INTEGER,
  reported TEXT NOT NULL,
  verdict TEXT NOT NULL,
  evidence TEXT,
  actor TEXT,
  principal TEXT
);
CREATE INDEX effects_open ON effects (effect) WHERE settled_sequence IS NULL;
CREATE INDEX sections_open ON sections (saga_id) WHERE left_sequence IS NULL;
)";

// Run at the end of an export: a table is filled faster without indexes. What is there stays.
inline constexpr const char* kExportViews = R"(
CREATE INDEX IF NOT EXISTS events_by_saga ON events (saga_id, sequence);
CREATE INDEX IF NOT EXISTS events_by_type ON events (type, sequence);
CREATE INDEX IF NOT EXISTS events_by_time ON events (time);
CREATE INDEX IF NOT EXISTS sagas_by_key ON sagas (key, generation);
CREATE INDEX IF NOT EXISTS leases_by_saga ON leases (saga_id, sequence);
CREATE INDEX IF NOT EXISTS leases_by_owner ON leases (owner, sequence);
CREATE INDEX IF NOT EXISTS refusals_by_saga ON refusals (saga_id, sequence);
CREATE INDEX IF NOT EXISTS recoveries_by_saga ON recoveries (saga_id, sequence);
CREATE INDEX IF NOT EXISTS effects_by_saga ON effects (saga_id, sequence);
CREATE INDEX IF NOT EXISTS sections_by_saga ON sections (saga_id, sequence);
CREATE INDEX IF NOT EXISTS owner_reports_by_saga ON owner_reports (saga_id, sequence);
CREATE VIEW IF NOT EXISTS effects_in_doubt AS
  SELECT e.*, s.key, s.state, s.owner FROM effects e JOIN sagas s USING (saga_id)
  WHERE e.settled_sequence IS NULL;
CREATE VIEW IF NOT EXISTS open_sections AS
  SELECT c.*, s.key, s.state FROM sections c JOIN sagas s USING (saga_id)
  WHERE c.left_sequence IS NULL;
CREATE VIEW IF NOT EXISTS held_leases AS
  SELECT l.*, s.key, s.state FROM leases l JOIN sagas s USING (saga_id)
  WHERE l.ended_sequence IS NULL;
CREATE VIEW IF NOT EXISTS takeovers AS
  SELECT sequence, saga_id, begun_at AS time, taken_from, owner, host, token FROM leases
  WHERE how = 'taken_over';
CREATE VIEW IF NOT EXISTS silent_leases AS
  SELECT l.*, COALESCE(l.last_heartbeat_at, l.begun_at) AS silent_since FROM leases l
  WHERE l.kind = 'lease' AND l.ended_by IN ('recovered', 'leased', 'force_released');
CREATE VIEW IF NOT EXISTS owed_compensations AS
  SELECT c.*, s.state AS saga_state, s.ended_at FROM compensations c JOIN sagas s USING (saga_id)
  WHERE c.state IN ('owed', 'claimed', 'failed');
CREATE VIEW IF NOT EXISTS refusals_by_code AS
  SELECT code, command, COUNT(*) AS refusals, MIN(time) AS first_time, MAX(time) AS last_time
  FROM refusals GROUP BY code, command ORDER BY refusals DESC;
CREATE VIEW IF NOT EXISTS recoveries_by_saga_and_decision AS
  SELECT saga_id, decision, COUNT(*) AS recoveries, MAX(time) AS last_time FROM recoveries
  GROUP BY saga_id, decision;
CREATE VIEW IF NOT EXISTS late_calls AS
  SELECT r.*, l.owner AS token_owner, l.ended_at, l.ended_by
  FROM refusals r LEFT JOIN leases l ON l.token = r.token AND l.saga_id = r.saga_id
  WHERE r.code IN ('stale_token', 'lease_expired', 'not_owner', 'terminal');
CREATE VIEW IF NOT EXISTS histories AS
  SELECT s.key, s.generation, e.saga_id, e.version, e.sequence, e.time, e.type, e.actor,
         e.principal, e.body
  FROM events e JOIN sagas s USING (saga_id);
)";

}  // namespace sagalog::tools
