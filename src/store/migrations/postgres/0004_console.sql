-- What people do with a browser: who they are, sessions, tokens of programs, remarks on lines,
-- events at branches, slots that were moved, numbers that were changed.

-- Somebody's way in. A person of channels.toml keeps name and roles there; their columns here are
-- empty. `password` is a PHC string (argon2id); `invite` the digest of a one-time link.
CREATE TABLE account (
    person TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    name TEXT COLLATE "C" NOT NULL,
    roles TEXT COLLATE "C" NOT NULL,
    department TEXT COLLATE "C",
    branch TEXT COLLATE "C",
    password TEXT COLLATE "C",
    failures BIGINT NOT NULL,
    locked_until BIGINT,
    active BIGINT NOT NULL,
    invite TEXT COLLATE "C",
    invite_until BIGINT,
    changed_at BIGINT NOT NULL
);

CREATE UNIQUE INDEX account_invite ON account (invite) WHERE invite IS NOT NULL;

-- `id` is the digest of what the browser holds.
CREATE TABLE session (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    person TEXT COLLATE "C" NOT NULL,
    -- password, oidc, invite
    means TEXT COLLATE "C" NOT NULL,
    started_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);

CREATE INDEX session_person ON session (person);

-- `secret` is the digest of what the program holds; `scopes` a JSON list of actions.
CREATE TABLE api_token (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    secret TEXT COLLATE "C" NOT NULL UNIQUE,
    person TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    scopes TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    revoked_at BIGINT,
    used_at BIGINT
);

-- A reviewer's word on one line of a submitted file.
CREATE TABLE remark (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    review TEXT COLLATE "C" NOT NULL,
    path TEXT COLLATE "C" NOT NULL,
    line BIGINT NOT NULL,
    author TEXT COLLATE "C" NOT NULL,
    at BIGINT NOT NULL,
    text TEXT COLLATE "C" NOT NULL,
    settled_by TEXT COLLATE "C",
    settled_at BIGINT
);

CREATE INDEX remark_review ON remark (review);

-- What a branch did: the six numbers that are asked for at the season's end. A correction is a new
-- row that names the one it replaces.
CREATE TABLE branch_event (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    branch TEXT COLLATE "C" NOT NULL,
    day TEXT COLLATE "C" NOT NULL,
    title TEXT COLLATE "C" NOT NULL,
    campaign TEXT COLLATE "C",
    staff BIGINT NOT NULL,
    audience BIGINT NOT NULL,
    priority_audience BIGINT NOT NULL,
    leaflets BIGINT NOT NULL,
    consultations BIGINT NOT NULL,
    online BIGINT NOT NULL,
    author TEXT COLLATE "C" NOT NULL,
    at BIGINT NOT NULL,
    replaces TEXT COLLATE "C",
    replaced_by TEXT COLLATE "C"
);

CREATE INDEX branch_event_day ON branch_event (branch, day);

-- A slot of a schedule that somebody moved before it fired.
CREATE TABLE slot_move (
    schedule TEXT COLLATE "C" NOT NULL,
    slot BIGINT NOT NULL,
    moved_to BIGINT NOT NULL,
    actor TEXT COLLATE "C" NOT NULL,
    at BIGINT NOT NULL,
    reason TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (schedule, slot)
);

-- A number of hotlines.toml that somebody changed: what carried the old one, what is to take its
-- place, and how far that got (JSON). `state`: open, done.
CREATE TABLE hotline_change (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    hotline TEXT COLLATE "C" NOT NULL,
    actor TEXT COLLATE "C" NOT NULL,
    at BIGINT NOT NULL,
    state TEXT COLLATE "C" NOT NULL,
    lease_until BIGINT NOT NULL,
    plan TEXT COLLATE "C" NOT NULL
);

CREATE INDEX hotline_change_at ON hotline_change (at);

-- What was done to one subject: imports, changes of numbers.
CREATE INDEX audit_subject ON audit (subject, seq);
