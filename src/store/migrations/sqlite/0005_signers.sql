-- Why each person may not sign, what authors say to remarks, and work that goes on in the background.

-- JSON: [[person, why], …], as it was when somebody submitted. Empty for submissions before this.
ALTER TABLE review ADD COLUMN reasons TEXT;

-- What an author says to a remark: that it is mended, or why not. Settling stays the reviewer's.
ALTER TABLE remark ADD COLUMN answer TEXT;
ALTER TABLE remark ADD COLUMN answered_by TEXT;
ALTER TABLE remark ADD COLUMN answered_at INTEGER;

-- Work that takes longer than a page may. `state`: running, done, failed. A row that runs and was
-- not seen for some time was cut off. `outcome` and `again` are JSON; the ledger does not look inside.
CREATE TABLE job (
    id TEXT NOT NULL PRIMARY KEY,
    person TEXT NOT NULL,
    actor TEXT NOT NULL,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    state TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    seen_at INTEGER NOT NULL,
    finished_at INTEGER,
    -- The process that does it.
    owner TEXT NOT NULL,
    outcome TEXT NOT NULL,
    again TEXT NOT NULL
) STRICT;

CREATE INDEX job_person ON job (person, started_at);
CREATE INDEX job_started ON job (started_at);
