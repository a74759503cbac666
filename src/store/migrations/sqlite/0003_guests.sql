-- What guests did, by branch, lesson and day (Asia/Shanghai). Nothing here is about anybody.

CREATE TABLE hit (
    branch TEXT NOT NULL,
    lesson TEXT NOT NULL,
    day TEXT NOT NULL,
    -- view, continue, venue, read, scan
    kind TEXT NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (branch, lesson, day, kind)
) STRICT;

CREATE TABLE answer (
    branch TEXT NOT NULL,
    lesson TEXT NOT NULL,
    day TEXT NOT NULL,
    -- Counted from one; `choice` is the letter of the option.
    question INTEGER NOT NULL,
    choice TEXT NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (branch, lesson, day, question, choice)
) STRICT;
