//! Who may do what: one table, asked by the gate before any page or call of the interface.

use std::fmt;

/// What somebody may be at the bank; several at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// 宣教岗: writes and submits.
    Author,
    /// 消保审查岗: signs the first step.
    Reviewer,
    /// 会签岗: signs for a department.
    CoReviewer,
    /// 委员会: signs what is of high priority.
    Committee,
    /// 投放岗: campaigns, slots, recall.
    Publisher,
    /// 网点: its own page.
    Branch,
    /// 审计: reads everything, changes nothing.
    Auditor,
    /// 运维: watches, settles, stops.
    Operator,
    /// 管理员: people and tokens.
    Administrator,
}

impl Role {
    /// Every role, in the order of the settings page.
    pub const ALL: [Self; 9] = [
        Self::Author,
        Self::Reviewer,
        Self::CoReviewer,
        Self::Committee,
        Self::Publisher,
        Self::Branch,
        Self::Auditor,
        Self::Operator,
        Self::Administrator,
    ];

    /// Its name in `channels.toml` and in the ledger.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Author => "author",
            Self::Reviewer => "reviewer",
            Self::CoReviewer => "co-reviewer",
            Self::Committee => "committee",
            Self::Publisher => "publisher",
            Self::Branch => "branch",
            Self::Auditor => "auditor",
            Self::Operator => "operator",
            Self::Administrator => "administrator",
        }
    }

    /// By that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == name)
    }

    /// For people: Chinese, English.
    #[must_use]
    pub fn labels(self) -> (&'static str, &'static str) {
        match self {
            Self::Author => ("宣教岗", "Author"),
            Self::Reviewer => ("审查岗", "Reviewer"),
            Self::CoReviewer => ("会签岗", "Co-reviewer"),
            Self::Committee => ("委员会", "Committee"),
            Self::Publisher => ("投放岗", "Publisher"),
            Self::Branch => ("网点", "Branch"),
            Self::Auditor => ("审计岗", "Auditor"),
            Self::Operator => ("运维岗", "Operator"),
            Self::Administrator => ("管理员", "Administrator"),
        }
    }
}

macro_rules! actions {
    ($($(#[$doc:meta])* $name:ident = $text:literal, $zh:literal, $en:literal, [$($role:ident)*];)+) => {
        /// Something that can be done here; also the scopes of tokens.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Action { $($(#[$doc])* $name,)+ }

        impl Action {
            /// Every action.
            pub const ALL: &[Self] = &[$(Self::$name,)+];

            /// Its name in tokens' scopes and in OpenAPI.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)+ }
            }

            /// For people: Chinese, English.
            #[must_use]
            pub fn labels(self) -> (&'static str, &'static str) {
                match self { $(Self::$name => ($zh, $en),)+ }
            }

            /// The roles that may.
            #[must_use]
            pub fn roles(self) -> &'static [Role] {
                match self { $(Self::$name => &[$(Role::$role,)*],)+ }
            }
        }
    };
}

actions! {
    /// One's own profile, password and signing out.
    Own = "own", "自己的账号", "Own account",
        [Author Reviewer CoReviewer Committee Publisher Branch Auditor Operator Administrator];
    /// The first page.
    ReadOverview = "overview.read", "看总览", "Read the overview",
        [Author Reviewer CoReviewer Committee Publisher Branch Auditor Operator Administrator];
    /// Week and calendar.
    ReadSchedule = "schedule.read", "看排期", "Read the calendar",
        [Author Reviewer CoReviewer Committee Publisher Auditor Operator Administrator];
    /// Run, skip or move a slot.
    ChangeSchedule = "schedule.change", "补发、跳过、改期", "Run, skip or move slots", [Publisher];
    /// Lessons and where they are live.
    ReadLessons = "lessons.read", "看课件", "Read lessons",
        [Author Reviewer CoReviewer Committee Publisher Auditor Operator Administrator];
    /// Campaigns: plan and save.
    ChangeCampaigns = "campaigns.change", "编排活动", "Plan campaigns", [Author Publisher];
    /// Hand a campaign or lesson to the reviewers.
    Submit = "reviews.submit", "送审", "Submit for review", [Author];
    /// Submissions with everything that belongs to them.
    ReadReviews = "reviews.read", "看审批", "Read reviews",
        [Author Reviewer CoReviewer Committee Publisher Auditor Operator Administrator];
    /// A remark on a line.
    Remark = "reviews.remark", "写批注", "Comment on lines",
        [Author Reviewer CoReviewer Committee];
    /// Approve or return.
    Decide = "reviews.decide", "批准、退回", "Approve or return",
        [Reviewer CoReviewer Committee];
    /// Deliveries and their attempts.
    ReadDeliveries = "deliveries.read", "看投递", "Read deliveries",
        [Author Reviewer CoReviewer Committee Publisher Auditor Operator Administrator];
    /// Retry, resolve, cancel.
    SettleDeliveries = "deliveries.settle", "重发、认定、取消", "Settle deliveries",
        [Publisher Operator];
    /// Take down.
    Recall = "recall", "撤回", "Recall", [Publisher Operator];
    /// Stop all sending.
    Hold = "hold", "停发", "Stop all sending", [Publisher Operator];
    /// Let sending go on.
    Release = "release", "恢复投放", "Resume sending", [Operator];
    /// The list of branches and how each stands.
    ReadBranches = "branches.read", "看网点", "Read branches",
        [Author Reviewer CoReviewer Committee Publisher Auditor Operator Administrator];
    /// Import branches and screens, enrolment codes.
    ChangeBranches = "branches.change", "导入网点、发登记码", "Import branches",
        [Publisher Operator];
    /// A branch's page; somebody of a branch sees their own only.
    ReadBranch = "branch.read", "看网点页", "Read a branch's page",
        [Author Reviewer CoReviewer Committee Publisher Branch Auditor Operator Administrator];
    /// Posted, taken down: of one's own branch.
    ConfirmBranch = "branch.confirm", "确认已上墙、已撤下", "Confirm posting", [Branch];
    /// The form of six numbers: of one's own branch.
    ReportEvent = "branch.event", "填活动数字", "Report an event", [Branch];
    /// Hotlines and where they stand.
    ReadHotlines = "hotlines.read", "看热线", "Read hotlines",
        [Author Reviewer CoReviewer Committee Publisher Auditor Operator Administrator];
    /// Change a hotline.
    ChangeHotlines = "hotlines.change", "改热线", "Change hotlines", [Publisher];
    /// The audit chain and what was shown where.
    ReadAudit = "audit.read", "看审计", "Read the audit chain", [Auditor Operator];
    /// People, tokens, channels with what `doctor` says.
    ReadSettings = "settings.read", "看设置", "Read settings", [Auditor Operator Administrator];
    /// People: roles, invitations, unlocking.
    ChangePeople = "people.change", "管人员", "Manage people", [Administrator];
    /// Tokens of programs.
    ChangeTokens = "tokens.change", "管接口口令", "Manage tokens", [Administrator];
}

impl Action {
    /// By its name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|action| action.as_str() == name)
    }

    /// Whether it is somebody's own word: a signature, a remark, what a branch says it did. Nobody
    /// makes a token that says it for somebody else.
    #[must_use]
    pub fn is_personal(self) -> bool {
        matches!(self, Self::Decide | Self::Remark | Self::ConfirmBranch | Self::ReportEvent)
    }

    /// Whether one of these roles may.
    #[must_use]
    pub fn allowed(self, roles: &[Role]) -> bool {
        roles.iter().any(|role| self.roles().contains(role))
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
