//! What went wrong, for people (a page) and for programs (RFC 9457 problem details).

use super::{language::say, permit::Action};
use crate::{store::StoreError, work::WorkError};
use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};
use std::{error::Error, fmt};

/// Why a request was not done. Handlers return it; the gate makes a page or JSON of it.
#[derive(Debug, Clone)]
pub struct Trouble {
    /// The status.
    pub status: StatusCode,
    /// What is wrong, each thing for itself.
    pub what: Vec<String>,
    /// What to do now.
    pub next: String,
}

impl Trouble {
    /// Something that was sent cannot be used.
    pub fn wrong(what: impl Into<String>) -> Self {
        let next = say(
            "改好后再提交一次；什么都没有改动",
            "Mend it and send it again; nothing was changed",
        );
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, what, next)
    }

    /// Several things that were sent cannot be used.
    pub fn wrong_list(what: Vec<String>) -> Self {
        Self { what, ..Self::wrong(String::new()) }
    }

    /// Fields that cannot be used: the name of each and what is wrong with it.
    pub fn wrong_fields(faults: Vec<(&'static str, String)>) -> Self {
        let told = faults.into_iter().map(|(field, fault)| format!("{field}：{fault}"));
        Self::wrong_list(told.collect())
    }

    /// There is no such thing, or it is none of the caller's.
    pub fn missing(what: impl Into<String>) -> Self {
        let next = say("检查网址，或从目录进去", "Check the address, or go in by the navigation");
        Self::new(StatusCode::NOT_FOUND, what, next)
    }

    /// Not now, or not in this state.
    pub fn conflict(what: impl Into<String>) -> Self {
        let next = say("刷新页面，看看现在的状态", "Load the page again and see how it stands now");
        Self::new(StatusCode::CONFLICT, what, next)
    }

    /// Not this person.
    pub fn forbidden(action: Action) -> Self {
        let (chinese, english) = action.labels();
        let roles: Vec<_> = action.roles().iter().map(|role| role.labels()).collect();
        let names: Vec<&str> = roles.iter().map(|(zh, en)| say(zh, en)).collect();
        let what = match say("zh", "en") {
            "en" => format!("Not allowed: “{english}” needs the role {}", names.join(" or ")),
            _ => format!("没有权限：{chinese}要有{}的角色", names.join("、")),
        };
        let next = say(
            "请有这个角色的同事来做，或请管理员在“设置”里加角色",
            "Ask a colleague who has it, or an administrator to add it under Settings",
        );
        Self::new(StatusCode::FORBIDDEN, what, next)
    }

    /// This person may, this token may not.
    pub fn out_of_scope(action: Action) -> Self {
        let (chinese, english) = action.labels();
        let what = match say("zh", "en") {
            "en" => format!("This token has no scope {action} ({english})"),
            _ => format!("这个口令没有 {action}（{chinese}）这一项范围"),
        };
        let next = say(
            "换一个有这项范围的口令：本人在“我的账号”里发，或请管理员在“设置”里发",
            "Use a token with that scope: make one under My account, or ask an administrator",
        );
        Self::new(StatusCode::FORBIDDEN, what, next)
    }

    /// Any.
    pub fn new(status: StatusCode, what: impl Into<String>, next: &str) -> Self {
        Self { status, what: vec![what.into()], next: next.to_owned() }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}。{}", self.what.join("；"), self.next)
    }
}

impl Error for Trouble {}

impl IntoResponse for Trouble {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl From<WorkError> for Trouble {
    fn from(error: WorkError) -> Self {
        match error {
            WorkError::Unknown(what) => Self::missing(what),
            WorkError::Refused(what) => Self::conflict(what),
            WorkError::Faults(what) => Self::wrong_list(what),
            WorkError::OpenRemarks(what) => Self::wrong(what),
            WorkError::Store(error) => error.into(),
            WorkError::Id(error) => Self::wrong(error.to_string()),
            other => broken(&other),
        }
    }
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotFound(what) => Self::missing(format!("台账里没有 {what}")),
            StoreError::Conflict(what) | StoreError::Refused(what) => Self::conflict(what),
            StoreError::Fenced(_) => Self::conflict(error.to_string()),
            StoreError::Unavailable { .. } => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                error.to_string(),
                "稍等一分钟再试；一直这样请找运维岗",
            ),
            other => broken(&other),
        }
    }
}

/// Our own fault, or the machine's: the log has it in full, people are told what they can do.
fn broken(error: &(dyn Error + 'static)) -> Trouble {
    tracing::error!(error, "控制台没有做成");
    let mut what = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        what = format!("{what}：{cause}");
        source = cause.source();
    }
    Trouble::new(
        StatusCode::INTERNAL_SERVER_ERROR,
        what,
        "再试一次；还不行，请把这句话和时间告诉运维岗，日志里有详情",
    )
}
