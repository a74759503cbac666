//! What a storage service said → what happened and what to do next.

use crate::deliver::{DeliverError, EgressError, ErrorKind, Retry};
use std::{error::Error, io, time::Duration};

/// Why a request to the storage failed.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// The service refused or could not be reached.
    #[error(transparent)]
    Service(#[from] opendal::Error),
    /// No answer in time.
    #[error("等了 {0} 秒没有回应")]
    Timeout(u64),
    /// A file could not be made, linked or renamed.
    #[error(transparent)]
    File(#[from] io::Error),
    /// A file of the repository does not hold what it should.
    #[error("{path} 的内容读不懂：{reason}")]
    Garbled {
        /// Which.
        path: String,
        /// Why.
        reason: String,
    },
}

/// Whether the failed request can have had an effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// It only read, or what it wrote may be written again.
    Harmless,
    /// It was the pointer: unless it surely did nothing, somebody must look.
    Pointer,
}

impl StorageError {
    /// Whether it says that something is not there.
    pub(in crate::deliver) fn is_absent(&self) -> bool {
        match self {
            Self::Service(error) => matches!(
                error.kind(),
                opendal::ErrorKind::NotFound | opendal::ErrorKind::NotADirectory
            ),
            Self::File(error) => error.kind() == io::ErrorKind::NotFound,
            Self::Timeout(_) | Self::Garbled { .. } => false,
        }
    }

    /// The error for the ledger and for people. `doing` is what was being done, such as
    /// `上传 poster.png`; `place` is shown without secrets.
    #[must_use]
    pub fn explain(self, doing: &str, place: &str, effect: Effect) -> DeliverError {
        let verdict = judge(&self);
        let retry = match (effect, verdict.certain) {
            (Effect::Pointer, false) => Retry::Ask,
            _ => verdict.retry,
        };
        let message = format!("{place}：{doing}失败，{}", verdict.what);
        DeliverError::new(verdict.kind, retry, message, verdict.next_step).caused_by(self)
    }
}

struct Verdict {
    kind: ErrorKind,
    retry: Retry,
    /// Whether the request surely had no effect.
    certain: bool,
    what: String,
    next_step: String,
}

fn judge(error: &StorageError) -> Verdict {
    let soon = Retry::After(Duration::from_secs(30));
    let verdict = |kind, retry, certain, what: &str, next_step: &str| Verdict {
        kind,
        retry,
        certain,
        what: what.to_owned(),
        next_step: next_step.to_owned(),
    };
    if let Some(refusal) = EgressError::within(error) {
        let advice = "请改这条渠道的地址或 allow，再运行 caishi doctor";
        return verdict(ErrorKind::Network, Retry::Never, true, &refusal.to_string(), advice);
    }
    if let Some(found) = find::<io::Error>(error).and_then(judge_io) {
        return found;
    }
    if find::<reqwest::Error>(error).is_some_and(reqwest::Error::is_connect) {
        let advice = "请检查网络、地址和证书：caishi doctor";
        return verdict(ErrorKind::Network, soon, true, "连接不上", advice);
    }
    match error {
        StorageError::Service(error) => judge_service(error),
        StorageError::Timeout(_) => {
            verdict(ErrorKind::Network, soon, false, &error.to_string(), "稍后自动再试")
        }
        StorageError::File(_) => verdict(
            ErrorKind::Storage,
            soon,
            false,
            "读写文件出错",
            "请看这个位置在不在、写不写得进，盘有没有坏",
        ),
        StorageError::Garbled { path, .. } => {
            let advice = format!("请看 {path} 被谁改过；确认无用后删去它，再运行 caishi retry");
            verdict(ErrorKind::Protocol, Retry::Never, true, &error.to_string(), &advice)
        }
    }
}

/// Faults of the local disk that have a plain remedy.
fn judge_io(error: &io::Error) -> Option<Verdict> {
    let (what, next_step, wait) = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            ("磁盘满了", "请腾出空间；腾出后自动再试", 60)
        }
        io::ErrorKind::NotADirectory | io::ErrorKind::AlreadyExists => (
            "要建文件夹的地方有一个同名的文件",
            "请把这个文件移走或改名，或在 channels.toml 里换一个 path；改好后自动再试",
            60,
        ),
        io::ErrorKind::ReadOnlyFilesystem => ("文件系统是只读的", "请改为可写再挂载", 60),
        io::ErrorKind::PermissionDenied => {
            return Some(Verdict {
                kind: ErrorKind::Permission,
                retry: Retry::Never,
                certain: true,
                what: "没有写的权限".to_owned(),
                next_step: "请给运行 caishi 的用户这个文件夹的写权限，再运行 caishi retry"
                    .to_owned(),
            });
        }
        _ => return None,
    };
    Some(Verdict {
        kind: ErrorKind::Storage,
        retry: Retry::After(Duration::from_secs(wait)),
        certain: true,
        what: what.to_owned(),
        next_step: next_step.to_owned(),
    })
}

fn judge_service(error: &opendal::Error) -> Verdict {
    use opendal::ErrorKind as Kind;
    let soon = Retry::After(Duration::from_secs(30));
    let (kind, retry, certain, what, next_step) = match error.kind() {
        Kind::NotFound => (
            ErrorKind::NotFound,
            Retry::Never,
            true,
            "桶或文件夹不存在",
            "请先建好，或改正渠道里的名字：caishi doctor",
        ),
        Kind::PermissionDenied => (
            ErrorKind::Permission,
            Retry::Never,
            true,
            "账号没有权限，或密钥不对",
            "请检查账号、密钥和桶的权限：caishi doctor",
        ),
        Kind::ConfigInvalid => (
            ErrorKind::Configuration,
            Retry::Never,
            true,
            "渠道的设置不对",
            "请改正 channels.toml：caishi doctor",
        ),
        Kind::Unsupported => (
            ErrorKind::Configuration,
            Retry::Never,
            true,
            "这个存储不支持条件写",
            "请在这条渠道的 s3 里写 conditional = false",
        ),
        Kind::RateLimited => {
            (ErrorKind::RateLimited, soon, true, "请求太多，被限流", "稍后自动再试")
        }
        Kind::ConditionNotMatch | Kind::AlreadyExists | Kind::Conflict => (
            ErrorKind::Conflict,
            Retry::After(Duration::from_secs(2)),
            true,
            "别的进程刚刚改过同一个文件",
            "稍后自动再试",
        ),
        _ => (
            ErrorKind::Unavailable,
            soon,
            false,
            "存储出错或连接中断",
            "稍后自动再试；一直这样请查看存储那边的日志",
        ),
    };
    Verdict { kind, retry, certain, what: what.to_owned(), next_step: next_step.to_owned() }
}

/// The first cause of that type.
fn find<T: Error + 'static>(error: &StorageError) -> Option<&T> {
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(current) = cause {
        if let Some(found) = current.downcast_ref::<T>() {
            return Some(found);
        }
        // `transparent` hands out the cause of the inner error; the inner error itself is looked
        // at here.
        cause = match current.downcast_ref::<StorageError>() {
            Some(StorageError::Service(inner)) => Some(inner),
            Some(StorageError::File(inner)) => Some(inner),
            _ => current.source(),
        };
    }
    None
}
