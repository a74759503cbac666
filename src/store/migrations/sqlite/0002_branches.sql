-- Branch side: who pulls packs, what stood on which screen, what people confirmed.

CREATE TABLE enrol_code (
    -- SHA-256 of the secret part: the code itself is shown once.
    code_hash TEXT NOT NULL PRIMARY KEY,
    branch TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    used_at INTEGER
) STRICT;

CREATE TABLE branch_device (
    branch TEXT NOT NULL PRIMARY KEY,
    -- Counts up when another machine takes its place; receipts begin anew then.
    enrolment INTEGER NOT NULL,
    machine TEXT NOT NULL,
    public_key TEXT NOT NULL,
    enrolled_at INTEGER NOT NULL,
    seen_at INTEGER,
    status TEXT NOT NULL,
    receipt_seq INTEGER NOT NULL,
    receipt_hash TEXT NOT NULL,
    confirmation_number INTEGER NOT NULL
) STRICT;

CREATE TABLE display (
    branch TEXT NOT NULL,
    enrolment INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    screen TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    shown_from INTEGER NOT NULL,
    shown_until INTEGER NOT NULL,
    -- The exact line: what the branch's key signed.
    line TEXT NOT NULL,
    PRIMARY KEY (branch, enrolment, seq)
) STRICT;

CREATE INDEX display_sha256 ON display (sha256, branch);

CREATE TABLE confirmation (
    branch TEXT NOT NULL,
    release_key TEXT NOT NULL,
    -- Empty for everything of the release.
    lesson TEXT NOT NULL,
    what TEXT NOT NULL,
    confirmed_by TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (branch, release_key, lesson, what)
) STRICT;

-- Players that speak Xibo's protocol: who waits, and which screen each was given.
CREATE TABLE xibo_player (
    hardware_key TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    client TEXT NOT NULL,
    branch TEXT,
    screen TEXT,
    seen_at INTEGER NOT NULL,
    status TEXT NOT NULL
) STRICT;
