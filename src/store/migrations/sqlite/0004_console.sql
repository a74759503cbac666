-- What people do with a browser: who they are, sessions, tokens of programs, remarks on lines,
-- events at branches, slots that were moved, numbers that were changed.

-- Somebody's way in. A person of channels.toml keeps name and roles there; their columns here are
-- empty. `password` is a PHC string (argon2id); `invite` the digest of a one-time link.
CREATE TABLE account (
    person TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    roles TEXT NOT NULL,
    department TEXT,
    branch TEXT,
    password TEXT,
    failures INTEGER NOT NULL,
    locked_until INTEGER,
    active INTEGER NOT NULL,
    invite TEXT,
    invite_until INTEGER,
    changed_at INTEGER NOT NULL
) STRICT;

CREATE UNIQUE INDEX account_invite ON account (invite) WHERE invite IS NOT NULL;

-- `id` is the digest of what the browser holds.
CREATE TABLE session (
    id TEXT NOT NULL PRIMARY KEY,
    person TEXT NOT NULL,
    -- password, oidc, invite
    means TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    seen_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;

CREATE INDEX session_person ON session (person);

-- `secret` is the digest of what the program holds; `scopes` a JSON list of actions.
CREATE TABLE api_token (
    id TEXT NOT NULL PRIMARY KEY,
    secret TEXT NOT NULL UNIQUE,
    person TEXT NOT NULL,
    name TEXT NOT NULL,
    scopes TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    revoked_at INTEGER,
    used_at INTEGER
) STRICT;

-- A reviewer's word on one line of a submitted file.
CREATE TABLE remark (
    id TEXT NOT NULL PRIMARY KEY,
    review TEXT NOT NULL,
    path TEXT NOT NULL,
    line INTEGER NOT NULL,
    author TEXT NOT NULL,
    at INTEGER NOT NULL,
    text TEXT NOT NULL,
    settled_by TEXT,
    settled_at INTEGER
) STRICT;

CREATE INDEX remark_review ON remark (review);

-- What a branch did: the six numbers that are asked for at the season's end. A correction is a new
-- row that names the one it replaces.
CREATE TABLE branch_event (
    id TEXT NOT NULL PRIMARY KEY,
    branch TEXT NOT NULL,
    day TEXT NOT NULL,
    title TEXT NOT NULL,
    campaign TEXT,
    staff INTEGER NOT NULL,
    audience INTEGER NOT NULL,
    priority_audience INTEGER NOT NULL,
    leaflets INTEGER NOT NULL,
    consultations INTEGER NOT NULL,
    online INTEGER NOT NULL,
    author TEXT NOT NULL,
    at INTEGER NOT NULL,
    replaces TEXT,
    replaced_by TEXT
) STRICT;

CREATE INDEX branch_event_day ON branch_event (branch, day);

-- A slot of a schedule that somebody moved before it fired.
CREATE TABLE slot_move (
    schedule TEXT NOT NULL,
    slot INTEGER NOT NULL,
    moved_to INTEGER NOT NULL,
    actor TEXT NOT NULL,
    at INTEGER NOT NULL,
    reason TEXT NOT NULL,
    PRIMARY KEY (schedule, slot)
) STRICT;

-- A number of hotlines.toml that somebody changed: what carried the old one, what is to take its
-- place, and how far that got (JSON). `state`: open, done.
CREATE TABLE hotline_change (
    id TEXT NOT NULL PRIMARY KEY,
    hotline TEXT NOT NULL,
    actor TEXT NOT NULL,
    at INTEGER NOT NULL,
    state TEXT NOT NULL,
    lease_until INTEGER NOT NULL,
    plan TEXT NOT NULL
) STRICT;

CREATE INDEX hotline_change_at ON hotline_change (at);

-- What was done to one subject: imports, changes of numbers.
CREATE INDEX audit_subject ON audit (subject, seq);
