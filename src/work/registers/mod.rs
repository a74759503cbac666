//! The tables of branches and screens, replaced as a whole: looked at first, then put in place of
//! the old one, which is kept and can be put back.
//!
//! The files in the content folder are the truth. A new one is read with the project's own reader,
//! next to the other table, before it replaces anything; it is written whole or not at all.

mod table;

use super::{Publisher, WorkError, content_file};
use crate::{
    model::{Diagnostic, Digest},
    read,
    store::AuditRow,
};
use serde_json::json;
use std::path::PathBuf;
use table::{changes, decoded, fault_of, rows_of, text_of};

/// Which table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Register {
    /// `branches.csv`
    Branches,
    /// `screens.csv`
    Screens,
}

impl Register {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Branches, Self::Screens];

    /// Its name in addresses.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Branches => "branches",
            Self::Screens => "screens",
        }
    }

    /// By that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|register| register.as_str() == name)
    }

    /// For people.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Branches => "网点表",
            Self::Screens => "屏幕表",
        }
    }

    /// The file below the content folder.
    #[must_use]
    pub fn file(self) -> &'static str {
        match self {
            Self::Branches => "branches.csv",
            Self::Screens => "screens.csv",
        }
    }

    /// Its columns: the name in the file, what people call it, whether it may be left out.
    #[must_use]
    pub fn columns(self) -> &'static [(&'static str, &'static str, bool)] {
        match self {
            Self::Branches => &[
                ("id", "代号", false),
                ("name", "名称", false),
                ("district", "区域", false),
                ("tags", "标签", false),
                ("address", "地址", false),
                ("hotline", "电话", false),
                ("hours", "营业时间", false),
                ("gateway", "网关", true),
            ],
            Self::Screens => &[
                ("branch", "网点", false),
                ("screen", "屏幕", false),
                ("profile", "规格", false),
                ("width", "宽（像素）", false),
                ("height", "高（像素）", false),
                ("mm_width", "屏宽（毫米）", false),
                ("distance_m", "观看距离（米）", false),
                ("dwell_s", "停留（秒）", false),
            ],
        }
    }

    /// How many columns at the start name a row.
    fn key_columns(self) -> usize {
        match self {
            Self::Branches => 1,
            Self::Screens => 2,
        }
    }
}

/// A row that was sent, with its number in the file that it came from.
pub type NumberedRow = (usize, Vec<String>);

/// A fault of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowFault {
    /// Its number in the file that was sent; 0 where it is no row of that file.
    pub row: usize,
    /// The column, where one is meant.
    pub column: String,
    /// What is wrong.
    pub what: String,
    /// What was expected.
    pub expected: String,
}

/// What becomes of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RowFate {
    /// It is new.
    New,
    /// Some of its columns change.
    Changed,
    /// It goes.
    Gone,
}

/// A row that would not be as it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowChange {
    /// What becomes of it.
    pub fate: RowFate,
    /// The row's key: `b001`, `b001 s1`.
    pub key: String,
    /// What it says: the name, the profile.
    pub name: String,
    /// Column, what it was, what it becomes.
    pub fields: Vec<(&'static str, String, String)>,
}

/// A table that could take the old one's place.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// Which table.
    pub register: Register,
    /// The digest of its bytes, which are kept.
    pub digest: Digest,
    /// The digest of the file that it would replace.
    pub base: Digest,
    /// What would not be as it was.
    pub changes: Vec<RowChange>,
    /// How many rows stay as they are.
    pub same: usize,
}

impl Candidate {
    /// How many rows share a fate.
    #[must_use]
    pub fn count(&self, fate: RowFate) -> usize {
        self.changes.iter().filter(|change| change.fate == fate).count()
    }
}

impl Publisher {
    /// The rows of a table as they stand, in the order of [`Register::columns`].
    ///
    /// # Errors
    /// [`WorkError::File`].
    pub fn register_rows(&self, register: Register) -> Result<Vec<Vec<String>>, WorkError> {
        Ok(rows_of(register, &self.register_text(register)?))
    }

    fn register_path(&self, register: Register) -> PathBuf {
        self.config.content.join(register.file())
    }

    /// The file as text; empty where there is none.
    fn register_text(&self, register: Register) -> Result<String, WorkError> {
        let bytes = content_file::bytes_of(&self.register_path(register))?;
        Ok(bytes.map(|bytes| decoded(&bytes)).unwrap_or_default())
    }

    fn register_digest(&self, register: Register) -> Result<Digest, WorkError> {
        let bytes = content_file::bytes_of(&self.register_path(register))?;
        Ok(Digest::of(&bytes.unwrap_or_default()))
    }

    /// Looks at rows that would be the whole table: keeps their bytes and says what would change.
    ///
    /// # Errors
    /// Inside, every fault of every row; outside, the ledger's and the file system's.
    pub async fn consider_register(
        &self,
        register: Register,
        rows: &[NumberedRow],
    ) -> Result<Result<Candidate, Vec<RowFault>>, WorkError> {
        let text = text_of(register, rows)?;
        let faults = self.register_faults(register, &text, rows)?;
        if !faults.is_empty() {
            return Ok(Err(faults));
        }
        let digest = self.store.put_blob(text.as_bytes()).await?;
        self.compare(register, digest, &text).map(Ok)
    }

    /// What is wrong with rows that would be the whole table. Nothing is kept.
    ///
    /// # Errors
    /// The file system's.
    pub fn register_faults_of(
        &self,
        register: Register,
        rows: &[NumberedRow],
    ) -> Result<Vec<RowFault>, WorkError> {
        self.register_faults(register, &text_of(register, rows)?, rows)
    }

    /// Looks at a table that was kept, to put it back.
    ///
    /// # Errors
    /// As [`Self::consider_register`].
    pub async fn consider_kept(
        &self,
        register: Register,
        digest: &Digest,
    ) -> Result<Result<Candidate, Vec<RowFault>>, WorkError> {
        let text = decoded(&self.store.blob(digest).await?);
        let rows = rows_of(register, &text);
        let rows: Vec<NumberedRow> = (2..).zip(rows).collect();
        let faults = self.register_faults(register, &text, &rows)?;
        if !faults.is_empty() {
            return Ok(Err(faults));
        }
        self.compare(register, *digest, &text).map(Ok)
    }

    fn compare(
        &self,
        register: Register,
        digest: Digest,
        text: &str,
    ) -> Result<Candidate, WorkError> {
        let old = rows_of(register, &self.register_text(register)?);
        let new = rows_of(register, text);
        let (changes, same) = changes(register, &old, &new);
        let base = self.register_digest(register)?;
        Ok(Candidate { register, digest, base, changes, same })
    }

    /// What the project's own reader says of the table beside the other one.
    fn register_faults(
        &self,
        register: Register,
        text: &str,
        rows: &[NumberedRow],
    ) -> Result<Vec<RowFault>, WorkError> {
        let reading = match register {
            Register::Branches => read::read_tables(text, &self.register_text(Register::Screens)?),
            Register::Screens => read::read_tables(&self.register_text(Register::Branches)?, text),
        };
        let is_own = |found: &&Diagnostic| found.file.path.ends_with(register.file());
        let own = reading.diagnostics.iter().filter(is_own);
        let mut faults: Vec<RowFault> = own.map(|found| fault_of(register, found, rows)).collect();
        let others = reading.diagnostics.iter().filter(|found| !is_own(found));
        faults.extend(others.map(|found| {
            let line = found.position().map_or(0, |(line, _)| line);
            RowFault {
                row: 0,
                column: String::new(),
                what: format!("{} 第 {line} 行会出错：{}", found.file.path.display(), found.reason),
                expected: "删网点之前，先导入去掉它屏幕的屏幕表".to_owned(),
            }
        }));
        Ok(faults)
    }

    /// Puts a table that was looked at in place of the one it was compared with. The old file is
    /// kept, and named by its digest in the audit row.
    ///
    /// # Errors
    /// [`WorkError::Refused`] where the file is no longer the one that was compared,
    /// [`WorkError::Faults`] where the table cannot be read (any more).
    pub async fn replace_register(
        &self,
        register: Register,
        digest: &Digest,
        base: &Digest,
        actor: &str,
    ) -> Result<Candidate, WorkError> {
        let candidate = self.consider_kept(register, digest).await?.map_err(|faults| {
            WorkError::Faults(faults.into_iter().map(|fault| fault.what).collect())
        })?;
        let path = self.register_path(register);
        let old = content_file::bytes_of(&path)?;
        let seen = old.as_deref().map(Digest::of);
        // Where there is no file yet, it is compared with nothing.
        if seen.unwrap_or_else(|| Digest::of(b"")) != *base {
            return Err(self.register_changed(register).await?);
        }
        if let Some(old) = &old {
            self.store.put_blob(old).await?;
        }
        let bytes = self.store.blob(digest).await?;
        let counts = |fate| candidate.count(fate);
        let note = json!({
            "before": base.to_string(), "after": digest.to_string(),
            "new": counts(RowFate::New), "changed": counts(RowFate::Changed),
            "gone": counts(RowFate::Gone),
        });
        let subject = format!("content/{}", register.file());
        self.store.audit(actor, "register.import", &subject, &note.to_string()).await?;
        let written = match content_file::replace_where(&path, seen.as_ref(), &bytes) {
            Ok(true) => return Ok(candidate),
            Ok(false) => self.register_changed(register).await?,
            Err(error) => error,
        };
        let failed = format!("没有写成：{written}");
        self.store.audit(actor, "register.failed", &subject, &failed).await?;
        Err(written)
    }

    /// Why a table that somebody looked at cannot take the other one's place any more.
    async fn register_changed(&self, register: Register) -> Result<WorkError, WorkError> {
        let subject = format!("content/{}", register.file());
        let last = self.store.trail_of(&[subject], &["register.import"]).await?;
        let by = last.first().map_or_else(String::new, |row| {
            format!("（最近一次导入：{}，{}）", row.actor, crate::model::spoken(row.at))
        });
        Ok(WorkError::Refused(format!(
            "{}在你预览之后被别人改过{by}，没有导入；请重新上传，再看一遍会改什么",
            register.label()
        )))
    }

    /// The newest imports of a table, the newest first: what can be put back.
    ///
    /// # Errors
    /// The ledger's.
    pub async fn register_history(&self, register: Register) -> Result<Vec<AuditRow>, WorkError> {
        let subject = format!("content/{}", register.file());
        Ok(self.store.trail(&subject, 12).await?)
    }
}
