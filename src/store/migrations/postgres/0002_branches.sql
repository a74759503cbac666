-- Branch side: who pulls packs, what stood on which screen, what people confirmed.

CREATE TABLE enrol_code (
    -- SHA-256 of the secret part: the code itself is shown once.
    code_hash TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    branch TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at BIGINT
);

CREATE TABLE branch_device (
    branch TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    -- Counts up when another machine takes its place; receipts begin anew then.
    enrolment BIGINT NOT NULL,
    machine TEXT COLLATE "C" NOT NULL,
    public_key TEXT COLLATE "C" NOT NULL,
    enrolled_at BIGINT NOT NULL,
    seen_at BIGINT,
    status TEXT COLLATE "C" NOT NULL,
    receipt_seq BIGINT NOT NULL,
    receipt_hash TEXT COLLATE "C" NOT NULL,
    confirmation_number BIGINT NOT NULL
);

CREATE TABLE display (
    branch TEXT COLLATE "C" NOT NULL,
    enrolment BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    screen TEXT COLLATE "C" NOT NULL,
    sha256 TEXT COLLATE "C" NOT NULL,
    shown_from BIGINT NOT NULL,
    shown_until BIGINT NOT NULL,
    -- The exact line: what the branch's key signed.
    line TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (branch, enrolment, seq)
);

CREATE INDEX display_sha256 ON display (sha256, branch);

CREATE TABLE confirmation (
    branch TEXT COLLATE "C" NOT NULL,
    release_key TEXT COLLATE "C" NOT NULL,
    -- Empty for everything of the release.
    lesson TEXT COLLATE "C" NOT NULL,
    what TEXT COLLATE "C" NOT NULL,
    confirmed_by TEXT COLLATE "C" NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (branch, release_key, lesson, what)
);

-- Players that speak Xibo's protocol: who waits, and which screen each was given.
CREATE TABLE xibo_player (
    hardware_key TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    name TEXT COLLATE "C" NOT NULL,
    client TEXT COLLATE "C" NOT NULL,
    branch TEXT COLLATE "C",
    screen TEXT COLLATE "C",
    seen_at BIGINT NOT NULL,
    status TEXT COLLATE "C" NOT NULL
);
