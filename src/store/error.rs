//! Why the ledger could not do what was asked, and what to do next.

use std::error::Error;

/// Why the ledger could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database refused.
    #[error("数据库出错：{what}")]
    Database {
        /// During what.
        what: &'static str,
        /// Why.
        #[source]
        source: sqlx::Error,
    },
    /// The database cannot be used now: locked, full, out of reach. Nothing was written; the same
    /// call may be made again later.
    #[error("{what}没有成功：{reason}")]
    Unavailable {
        /// During what.
        what: &'static str,
        /// Why, and the next step.
        reason: &'static str,
        /// Why, in the database's words.
        #[source]
        source: sqlx::Error,
    },
    /// The blob store refused.
    #[error("文件存储出错：{what}")]
    Blob {
        /// During what.
        what: String,
        /// Why.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// Another worker holds the row, or it has changed.
    #[error("投递 {0} 已由别的进程接手，本次改动没有写入")]
    Fenced(String),
    /// The delivery may not be sent (any more): held, not approved, expired. The row has been put
    /// back and is no longer held by the caller, who has nothing more to do with it.
    #[error("{0}")]
    Refused(String),
    /// There is no such row.
    #[error("台账里没有 {0}")]
    NotFound(String),
    /// A row does not hold what it must.
    #[error("台账里的 {what} 读不懂：{reason}")]
    Corrupt {
        /// Which.
        what: String,
        /// Why.
        reason: String,
    },
    /// What was asked contradicts the row's state.
    #[error("{0}")]
    Conflict(String),
    /// The configuration cannot work.
    #[error("{0}")]
    Configuration(String),
}

impl StoreError {
    /// Sorts what the database said into what a person can act on.
    pub(super) fn database(what: &'static str, source: sqlx::Error) -> Self {
        match reason(&source) {
            Some(reason) => Self::Unavailable { what, reason, source },
            None => Self::Database { what, source },
        }
    }

    /// The blob store refused.
    pub(super) fn blob(
        what: impl Into<String>,
        source: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Self {
        Self::Blob { what: what.into(), source: source.into() }
    }
}

/// Whether the connection was lost before anything was asked over it.
pub(super) fn is_lost(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) => true,
        sqlx::Error::Database(error) => error.code().is_some_and(|code| code.starts_with("57P0")),
        _ => false,
    }
}

const UNREACHABLE: &str =
    "连不上数据库。请检查数据库是否已启动、地址和网络是否正确，再运行 caishi doctor";

fn reason(error: &sqlx::Error) -> Option<&'static str> {
    match error {
        sqlx::Error::Io(io) if io.kind() == std::io::ErrorKind::StorageFull => Some(FULL),
        sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut | sqlx::Error::WorkerCrashed => {
            Some(UNREACHABLE)
        }
        sqlx::Error::Database(database) => {
            let code = database.code()?;
            // Five characters are Postgres' SQLSTATE, numbers are SQLite's extended codes.
            match code.parse::<u32>() {
                Ok(number) if code.len() < 5 => sqlite_reason(number & 0xff),
                _ => postgres_reason(&code),
            }
        }
        _ => None,
    }
}

const FULL: &str = "磁盘已满。请腾出空间（caishi doctor 会列出占用），然后重试；已写入的不会丢";

fn sqlite_reason(code: u32) -> Option<&'static str> {
    Some(match code {
        5 | 6 => {
            "数据库被另一个进程锁住了，等了 5 秒。请稍后重试；若一直这样，请看是否有备份或数据库工具打开着它"
        }
        8 => "数据库文件是只读的。请检查文件和所在文件夹的写权限",
        10 => "读写数据库文件失败。请检查磁盘是否完好、是否已满",
        11 | 26 => {
            "数据库文件已损坏或不是 SQLite 文件。请先停用，再用 caishi restore 从备份恢复到空位置"
        }
        13 => FULL,
        14 => "打不开数据库文件。请检查 [database] 的路径和文件夹权限",
        _ => return None,
    })
}

fn postgres_reason(code: &str) -> Option<&'static str> {
    Some(match code {
        "53100" => FULL,
        "53300" => "数据库的连接数已用完。请减少进程或调大 max_connections，然后重试",
        "28P01" | "28000" => "数据库不接受这个用户或密码。请检查 [database] 的用户和 password",
        "3D000" => "数据库服务器上没有这个库。请先建库（createdb），再重试",
        "42501" => "数据库用户没有权限。请给它建表和读写的权限",
        "25006" => "数据库是只读的（备机？）。请改连主库",
        "55P03" => "等别的进程释放锁等了 10 秒。请稍后重试",
        "40P01" | "40001" => "与别的进程同时改了同一行，这次让开了。请重试",
        "57P01" | "57P02" | "57P03" | "25P03" => {
            "数据库正在重启或断开了连接。稍后会自动重连，请重试"
        }
        _ if code.starts_with("08") => UNREACHABLE,
        _ => return None,
    })
}
