-- What guests did, by branch, lesson and day (Asia/Shanghai). Nothing here is about anybody.

CREATE TABLE hit (
    branch TEXT COLLATE "C" NOT NULL,
    lesson TEXT COLLATE "C" NOT NULL,
    day TEXT COLLATE "C" NOT NULL,
    -- view, continue, venue, read, scan
    kind TEXT COLLATE "C" NOT NULL,
    count BIGINT NOT NULL,
    PRIMARY KEY (branch, lesson, day, kind)
);

CREATE TABLE answer (
    branch TEXT COLLATE "C" NOT NULL,
    lesson TEXT COLLATE "C" NOT NULL,
    day TEXT COLLATE "C" NOT NULL,
    -- Counted from one; `choice` is the letter of the option.
    question BIGINT NOT NULL,
    choice TEXT COLLATE "C" NOT NULL,
    count BIGINT NOT NULL,
    PRIMARY KEY (branch, lesson, day, question, choice)
);
