-- The ledger. Times are milliseconds since 1970 UTC; digests are lower-case hexadecimal.

CREATE TABLE deployment (
    single BIGINT PRIMARY KEY CHECK (single = 1),
    id TEXT COLLATE "C" NOT NULL,
    generation BIGINT NOT NULL,
    -- 1 once the blob store has held the same pair.
    marked BIGINT NOT NULL,
    hold_by TEXT COLLATE "C",
    hold_reason TEXT COLLATE "C",
    hold_at BIGINT
);

CREATE TABLE audit (
    seq BIGINT PRIMARY KEY,
    at BIGINT NOT NULL,
    actor TEXT COLLATE "C" NOT NULL,
    action TEXT COLLATE "C" NOT NULL,
    subject TEXT COLLATE "C" NOT NULL,
    was TEXT COLLATE "C" NOT NULL,
    became TEXT COLLATE "C" NOT NULL,
    prev_hash TEXT COLLATE "C" NOT NULL,
    hash TEXT COLLATE "C" NOT NULL
);

-- The end of the chain: rows cut off behind it are noticed.
CREATE TABLE audit_head (
    single BIGINT PRIMARY KEY CHECK (single = 1),
    seq BIGINT NOT NULL,
    hash TEXT COLLATE "C" NOT NULL
);
INSERT INTO audit_head (single, seq, hash)
VALUES (1, 0, '0000000000000000000000000000000000000000000000000000000000000000');

CREATE TABLE review_counter (
    year BIGINT PRIMARY KEY,
    last BIGINT NOT NULL
);

CREATE TABLE review_number (
    year BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    plan_key TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (year, seq),
    UNIQUE (year, plan_key)
);

CREATE TABLE manifest (
    hash TEXT COLLATE "C" PRIMARY KEY,
    body TEXT COLLATE "C" NOT NULL
);

CREATE TABLE review (
    number TEXT COLLATE "C" PRIMARY KEY,
    campaign TEXT COLLATE "C" NOT NULL,
    lessons TEXT COLLATE "C" NOT NULL,
    plan_key TEXT COLLATE "C" NOT NULL,
    revision TEXT COLLATE "C" NOT NULL,
    author TEXT COLLATE "C" NOT NULL,
    excluded TEXT COLLATE "C" NOT NULL,
    steps TEXT COLLATE "C" NOT NULL,
    submitted_at BIGINT NOT NULL
);
CREATE INDEX review_plan_key ON review (plan_key);
CREATE INDEX review_campaign ON review (campaign);

CREATE TABLE review_manifest (
    manifest TEXT COLLATE "C" PRIMARY KEY REFERENCES manifest (hash),
    review TEXT COLLATE "C" NOT NULL REFERENCES review (number),
    channel TEXT COLLATE "C" NOT NULL,
    UNIQUE (review, channel)
);

CREATE TABLE approval (
    manifest TEXT COLLATE "C" NOT NULL REFERENCES manifest (hash),
    step TEXT COLLATE "C" NOT NULL,
    actor TEXT COLLATE "C" NOT NULL,
    at BIGINT NOT NULL,
    decision TEXT COLLATE "C" NOT NULL,
    note TEXT COLLATE "C" NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (manifest, step, actor, at)
);

CREATE TABLE schedule_cursor (
    schedule TEXT COLLATE "C" PRIMARY KEY,
    decided_until BIGINT NOT NULL
);

CREATE TABLE occurrence (
    id TEXT COLLATE "C" PRIMARY KEY,
    schedule TEXT COLLATE "C" NOT NULL,
    slot BIGINT NOT NULL,
    state TEXT COLLATE "C" NOT NULL,
    reason TEXT COLLATE "C" NOT NULL,
    campaign TEXT COLLATE "C" NOT NULL,
    lessons TEXT COLLATE "C" NOT NULL,
    UNIQUE (schedule, slot)
);
CREATE INDEX occurrence_slot ON occurrence (slot);

CREATE TABLE delivery (
    id TEXT COLLATE "C" PRIMARY KEY,
    occurrence TEXT COLLATE "C" NOT NULL REFERENCES occurrence (id),
    campaign TEXT COLLATE "C" NOT NULL,
    slot BIGINT NOT NULL,
    channel TEXT COLLATE "C" NOT NULL,
    target TEXT COLLATE "C" NOT NULL,
    manifest TEXT COLLATE "C" NOT NULL,
    idem_key TEXT COLLATE "C" NOT NULL UNIQUE,
    state TEXT COLLATE "C" NOT NULL,
    attempt BIGINT NOT NULL,
    failures BIGINT NOT NULL,
    epoch BIGINT NOT NULL,
    owner TEXT COLLATE "C",
    lease_until BIGINT,
    next_at BIGINT NOT NULL,
    -- When a worker must look at the row: the end of its lease while it is held, else `next_at`;
    -- NULL where nothing happens by itself.
    due_at BIGINT,
    expires_at BIGINT NOT NULL,
    prepared_ref TEXT COLLATE "C",
    remote_ref TEXT COLLATE "C",
    url TEXT COLLATE "C",
    error_class TEXT COLLATE "C",
    message TEXT COLLATE "C" NOT NULL,
    next_step TEXT COLLATE "C" NOT NULL,
    changed_at BIGINT NOT NULL,
    -- How many lines `delivery_attempt` has for it.
    lines BIGINT NOT NULL,
    -- 1 where the far side called while a worker held the row.
    woken BIGINT NOT NULL DEFAULT 0,
    UNIQUE (occurrence, channel, target)
);
CREATE INDEX delivery_due ON delivery (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX delivery_sending ON delivery (due_at) WHERE state = 'sending';
CREATE INDEX delivery_accepted ON delivery (due_at) WHERE state = 'accepted';
CREATE INDEX delivery_remote ON delivery (remote_ref) WHERE remote_ref IS NOT NULL;
CREATE INDEX delivery_waiting ON delivery (manifest) WHERE state = 'waiting-approval';
CREATE INDEX delivery_slot ON delivery (slot);

CREATE TABLE delivery_attempt (
    delivery TEXT COLLATE "C" NOT NULL REFERENCES delivery (id),
    line BIGINT NOT NULL,
    attempt BIGINT NOT NULL,
    at BIGINT NOT NULL,
    from_state TEXT COLLATE "C" NOT NULL,
    to_state TEXT COLLATE "C" NOT NULL,
    actor TEXT COLLATE "C" NOT NULL,
    message TEXT COLLATE "C" NOT NULL,
    error_class TEXT COLLATE "C",
    PRIMARY KEY (delivery, line)
);

CREATE TABLE channel_event (
    channel TEXT COLLATE "C" NOT NULL,
    event_key TEXT COLLATE "C" NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (channel, event_key)
);

CREATE TABLE channel_journal (
    channel TEXT COLLATE "C" NOT NULL,
    -- Empty for the channel's own memory.
    delivery TEXT COLLATE "C" NOT NULL,
    step TEXT COLLATE "C" NOT NULL,
    value TEXT COLLATE "C" NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (channel, delivery, step)
);

CREATE TABLE channel_quota (
    channel TEXT COLLATE "C" NOT NULL,
    call TEXT COLLATE "C" NOT NULL,
    window_start BIGINT NOT NULL,
    used BIGINT NOT NULL,
    PRIMARY KEY (channel, call, window_start)
);

-- Never part of a backup.
CREATE TABLE channel_token (
    channel TEXT COLLATE "C" NOT NULL,
    account TEXT COLLATE "C" NOT NULL,
    sealed TEXT COLLATE "C",
    expires_at BIGINT NOT NULL,
    version BIGINT NOT NULL,
    lease_owner TEXT COLLATE "C",
    lease_until BIGINT NOT NULL,
    PRIMARY KEY (channel, account)
);

-- Rows move through the states quickly; the default of a fifth of the table is too late.
ALTER TABLE delivery SET (autovacuum_vacuum_scale_factor = 0.02);
ALTER TABLE audit_head SET (fillfactor = 10);
