-- The ledger. Times are milliseconds since 1970 UTC; digests are lower-case hexadecimal.

CREATE TABLE deployment (
    single INTEGER PRIMARY KEY CHECK (single = 1),
    id TEXT NOT NULL,
    generation INTEGER NOT NULL,
    -- 1 once the blob store has held the same pair.
    marked INTEGER NOT NULL,
    hold_by TEXT,
    hold_reason TEXT,
    hold_at INTEGER
) STRICT;

CREATE TABLE audit (
    seq INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    subject TEXT NOT NULL,
    was TEXT NOT NULL,
    became TEXT NOT NULL,
    prev_hash TEXT NOT NULL,
    hash TEXT NOT NULL
) STRICT;

-- The end of the chain: rows cut off behind it are noticed.
CREATE TABLE audit_head (
    single INTEGER PRIMARY KEY CHECK (single = 1),
    seq INTEGER NOT NULL,
    hash TEXT NOT NULL
) STRICT;
INSERT INTO audit_head (single, seq, hash)
VALUES (1, 0, '0000000000000000000000000000000000000000000000000000000000000000');

CREATE TABLE review_counter (
    year INTEGER PRIMARY KEY,
    last INTEGER NOT NULL
) STRICT;

CREATE TABLE review_number (
    year INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    plan_key TEXT NOT NULL,
    PRIMARY KEY (year, seq),
    UNIQUE (year, plan_key)
) STRICT;

CREATE TABLE manifest (
    hash TEXT PRIMARY KEY,
    body TEXT NOT NULL
) STRICT;

CREATE TABLE review (
    number TEXT PRIMARY KEY,
    campaign TEXT NOT NULL,
    lessons TEXT NOT NULL,
    plan_key TEXT NOT NULL,
    revision TEXT NOT NULL,
    author TEXT NOT NULL,
    excluded TEXT NOT NULL,
    steps TEXT NOT NULL,
    submitted_at INTEGER NOT NULL
) STRICT;
CREATE INDEX review_plan_key ON review (plan_key);
CREATE INDEX review_campaign ON review (campaign);

CREATE TABLE review_manifest (
    manifest TEXT PRIMARY KEY REFERENCES manifest (hash),
    review TEXT NOT NULL REFERENCES review (number),
    channel TEXT NOT NULL,
    UNIQUE (review, channel)
) STRICT;

CREATE TABLE approval (
    manifest TEXT NOT NULL REFERENCES manifest (hash),
    step TEXT NOT NULL,
    actor TEXT NOT NULL,
    at INTEGER NOT NULL,
    decision TEXT NOT NULL,
    note TEXT NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (manifest, step, actor, at)
) STRICT;

CREATE TABLE schedule_cursor (
    schedule TEXT PRIMARY KEY,
    decided_until INTEGER NOT NULL
) STRICT;

CREATE TABLE occurrence (
    id TEXT PRIMARY KEY,
    schedule TEXT NOT NULL,
    slot INTEGER NOT NULL,
    state TEXT NOT NULL,
    reason TEXT NOT NULL,
    campaign TEXT NOT NULL,
    lessons TEXT NOT NULL,
    UNIQUE (schedule, slot)
) STRICT;
CREATE INDEX occurrence_slot ON occurrence (slot);

CREATE TABLE delivery (
    id TEXT PRIMARY KEY,
    occurrence TEXT NOT NULL REFERENCES occurrence (id),
    campaign TEXT NOT NULL,
    slot INTEGER NOT NULL,
    channel TEXT NOT NULL,
    target TEXT NOT NULL,
    manifest TEXT NOT NULL,
    idem_key TEXT NOT NULL UNIQUE,
    state TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    failures INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    owner TEXT,
    lease_until INTEGER,
    next_at INTEGER NOT NULL,
    -- When a worker must look at the row: the end of its lease while it is held, else `next_at`;
    -- NULL where nothing happens by itself.
    due_at INTEGER,
    expires_at INTEGER NOT NULL,
    prepared_ref TEXT,
    remote_ref TEXT,
    url TEXT,
    error_class TEXT,
    message TEXT NOT NULL,
    next_step TEXT NOT NULL,
    changed_at INTEGER NOT NULL,
    -- How many lines `delivery_attempt` has for it.
    lines INTEGER NOT NULL,
    -- 1 where the far side called while a worker held the row.
    woken INTEGER NOT NULL DEFAULT 0,
    UNIQUE (occurrence, channel, target)
) STRICT;
CREATE INDEX delivery_due ON delivery (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX delivery_sending ON delivery (due_at) WHERE state = 'sending';
CREATE INDEX delivery_accepted ON delivery (due_at) WHERE state = 'accepted';
CREATE INDEX delivery_remote ON delivery (remote_ref) WHERE remote_ref IS NOT NULL;
CREATE INDEX delivery_waiting ON delivery (manifest) WHERE state = 'waiting-approval';
CREATE INDEX delivery_slot ON delivery (slot);

CREATE TABLE delivery_attempt (
    delivery TEXT NOT NULL REFERENCES delivery (id),
    line INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    at INTEGER NOT NULL,
    from_state TEXT NOT NULL,
    to_state TEXT NOT NULL,
    actor TEXT NOT NULL,
    message TEXT NOT NULL,
    error_class TEXT,
    PRIMARY KEY (delivery, line)
) STRICT;

CREATE TABLE channel_event (
    channel TEXT NOT NULL,
    event_key TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (channel, event_key)
) STRICT;

CREATE TABLE channel_journal (
    channel TEXT NOT NULL,
    -- Empty for the channel's own memory.
    delivery TEXT NOT NULL,
    step TEXT NOT NULL,
    value TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (channel, delivery, step)
) STRICT;

CREATE TABLE channel_quota (
    channel TEXT NOT NULL,
    call TEXT NOT NULL,
    window_start INTEGER NOT NULL,
    used INTEGER NOT NULL,
    PRIMARY KEY (channel, call, window_start)
) STRICT;

-- Never part of a backup.
CREATE TABLE channel_token (
    channel TEXT NOT NULL,
    account TEXT NOT NULL,
    sealed TEXT,
    expires_at INTEGER NOT NULL,
    version INTEGER NOT NULL,
    lease_owner TEXT,
    lease_until INTEGER NOT NULL,
    PRIMARY KEY (channel, account)
) STRICT;
