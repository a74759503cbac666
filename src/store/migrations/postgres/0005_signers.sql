-- Why each person may not sign, what authors say to remarks, and work that goes on in the background.

-- JSON: [[person, why], …], as it was when somebody submitted. Empty for submissions before this.
ALTER TABLE review ADD COLUMN reasons TEXT COLLATE "C";

-- What an author says to a remark: that it is mended, or why not. Settling stays the reviewer's.
ALTER TABLE remark ADD COLUMN answer TEXT COLLATE "C";
ALTER TABLE remark ADD COLUMN answered_by TEXT COLLATE "C";
ALTER TABLE remark ADD COLUMN answered_at BIGINT;

-- Work that takes longer than a page may. `state`: running, done, failed. A row that runs and was
-- not seen for some time was cut off. `outcome` and `again` are JSON; the ledger does not look inside.
CREATE TABLE job (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    person TEXT COLLATE "C" NOT NULL,
    actor TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    subject TEXT COLLATE "C" NOT NULL,
    state TEXT COLLATE "C" NOT NULL,
    started_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL,
    finished_at BIGINT,
    -- The process that does it.
    owner TEXT COLLATE "C" NOT NULL,
    outcome TEXT COLLATE "C" NOT NULL,
    again TEXT COLLATE "C" NOT NULL
);

CREATE INDEX job_person ON job (person, started_at);
CREATE INDEX job_started ON job (started_at);
