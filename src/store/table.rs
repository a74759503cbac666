//! The tables of a backup and their columns, in an order in which they can be filled again.

/// A table: name and columns. Numbers are marked by a `#` before their name.
pub(super) type Table = (&'static str, &'static [&'static str]);

/// Everything but `channel_token`, `enrol_code` and `session`: tokens and codes are never part of a
/// backup. Passwords and tokens of programs are there as digests only.
pub(super) const TABLES: &[Table] = &[
    (
        "deployment",
        &["#single", "id", "#generation", "#marked", "hold_by", "hold_reason", "#hold_at"],
    ),
    ("audit", &["#seq", "#at", "actor", "action", "subject", "was", "became", "prev_hash", "hash"]),
    ("audit_head", &["#single", "#seq", "hash"]),
    ("review_counter", &["#year", "#last"]),
    ("review_number", &["#year", "#seq", "plan_key"]),
    ("manifest", &["hash", "body"]),
    (
        "review",
        &[
            "number",
            "campaign",
            "lessons",
            "plan_key",
            "revision",
            "author",
            "excluded",
            "steps",
            "#submitted_at",
            "reasons",
        ],
    ),
    ("review_manifest", &["manifest", "review", "channel"]),
    ("approval", &["manifest", "step", "actor", "#at", "decision", "note", "#expires_at"]),
    ("schedule_cursor", &["schedule", "#decided_until"]),
    ("occurrence", &["id", "schedule", "#slot", "state", "reason", "campaign", "lessons"]),
    (
        "delivery",
        &[
            "id",
            "occurrence",
            "campaign",
            "#slot",
            "channel",
            "target",
            "manifest",
            "idem_key",
            "state",
            "#attempt",
            "#failures",
            "#epoch",
            "owner",
            "#lease_until",
            "#next_at",
            "#due_at",
            "#expires_at",
            "prepared_ref",
            "remote_ref",
            "url",
            "error_class",
            "message",
            "next_step",
            "#changed_at",
            "#lines",
            "#woken",
        ],
    ),
    (
        "delivery_attempt",
        &[
            "delivery",
            "#line",
            "#attempt",
            "#at",
            "from_state",
            "to_state",
            "actor",
            "message",
            "error_class",
        ],
    ),
    ("channel_event", &["channel", "event_key", "#at"]),
    ("channel_journal", &["channel", "delivery", "step", "value", "#at"]),
    ("channel_quota", &["channel", "call", "#window_start", "#used"]),
    (
        "branch_device",
        &[
            "branch",
            "#enrolment",
            "machine",
            "public_key",
            "#enrolled_at",
            "#seen_at",
            "status",
            "#receipt_seq",
            "receipt_hash",
            "#confirmation_number",
        ],
    ),
    (
        "display",
        &[
            "branch",
            "#enrolment",
            "#seq",
            "screen",
            "sha256",
            "#shown_from",
            "#shown_until",
            "line",
        ],
    ),
    ("xibo_player", &["hardware_key", "name", "client", "branch", "screen", "#seen_at", "status"]),
    ("confirmation", &["branch", "release_key", "lesson", "what", "confirmed_by", "#at"]),
    ("hit", &["branch", "lesson", "day", "kind", "#count"]),
    ("answer", &["branch", "lesson", "day", "#question", "choice", "#count"]),
    (
        "account",
        &[
            "person",
            "name",
            "roles",
            "department",
            "branch",
            "password",
            "#failures",
            "#locked_until",
            "#active",
            "invite",
            "#invite_until",
            "#changed_at",
        ],
    ),
    (
        "api_token",
        &[
            "id",
            "secret",
            "person",
            "name",
            "scopes",
            "#created_at",
            "#expires_at",
            "#revoked_at",
            "#used_at",
        ],
    ),
    (
        "remark",
        &[
            "id",
            "review",
            "path",
            "#line",
            "author",
            "#at",
            "text",
            "settled_by",
            "#settled_at",
            "answer",
            "answered_by",
            "#answered_at",
        ],
    ),
    (
        "branch_event",
        &[
            "id",
            "branch",
            "day",
            "title",
            "campaign",
            "#staff",
            "#audience",
            "#priority_audience",
            "#leaflets",
            "#consultations",
            "#online",
            "author",
            "#at",
            "replaces",
            "replaced_by",
        ],
    ),
    ("slot_move", &["schedule", "#slot", "#moved_to", "actor", "#at", "reason"]),
    ("hotline_change", &["id", "hotline", "actor", "#at", "state", "#lease_until", "plan"]),
    (
        "job",
        &[
            "id",
            "person",
            "actor",
            "kind",
            "subject",
            "state",
            "#started_at",
            "#seen_at",
            "#finished_at",
            "owner",
            "outcome",
            "again",
        ],
    ),
];

/// Tables that backups did not have from the beginning: in an older one they may be missing.
pub(super) const LATER: &[&str] = &["job"];

/// A column's name, and whether it is a number.
pub(super) fn column(marked: &'static str) -> (&'static str, bool) {
    match marked.strip_prefix('#') {
        Some(name) => (name, true),
        None => (marked, false),
    }
}

/// The file of a table inside a backup.
pub(super) fn file_of(table: &str) -> String {
    format!("tables/{table}.jsonl")
}
