//! `[[people]]`: who may act, and how they prove who they are.

use super::{
    Config, Person,
    table::{Table, shorten},
};
use crate::model::{BranchId, Digest, PersonId, suggest};
use std::env;
use subtle::ConstantTimeEq as _;

/// Every role that a person may hold, by its name in files and in the ledger.
pub const ROLES: [&str; 9] = [
    "author",
    "reviewer",
    "co-reviewer",
    "committee",
    "publisher",
    "branch",
    "auditor",
    "operator",
    "administrator",
];

/// A shorter token could be guessed: its digest stands in a file that many may read.
const SHORTEST_TOKEN: usize = 20;

/// Why somebody is not let in. Never holds the token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AuthenticationError {
    /// The configuration does not know them.
    #[error("channels.toml 的 [[people]] 里没有“{id}”；{help}")]
    Unknown {
        /// Who was named.
        id: PersonId,
        /// Whom it knows.
        help: String,
    },
    /// The configuration has no token of theirs.
    #[error(
        "{name}还没有登记口令，不能代表自己操作；生成一串随机口令，把它的 SHA-256 写进 channels.toml 里这个人的 token_sha256（printf %s 口令 | sha256sum），再写 token_env"
    )]
    NotRegistered {
        /// Who.
        name: String,
    },
    /// Their environment variable is not set.
    #[error("环境变量 {variable} 没有设置；{name}先运行 export {variable}=自己的口令，再试一次")]
    NotSet {
        /// Who.
        name: String,
        /// Which variable.
        variable: String,
    },
    /// It is too short to be safe.
    #[error(
        "环境变量 {variable} 里的口令不足 {SHORTEST_TOKEN} 个字符，容易被猜中；请换一串更长的随机口令，并更新 token_sha256"
    )]
    TooShort {
        /// Which variable.
        variable: String,
    },
    /// It is somebody else's, or was mistyped.
    #[error("环境变量 {variable} 里的口令不是{name}的；检查有没有多余的空格、是不是用了别人的口令")]
    Mismatch {
        /// Who.
        name: String,
        /// Which variable.
        variable: String,
    },
}

impl Config {
    /// The person, once the token in their environment variable has proved that it is them.
    ///
    /// # Errors
    /// [`AuthenticationError`] says what is missing and what to do, and never shows the token.
    pub fn authenticate(&self, id: &PersonId) -> Result<&Person, AuthenticationError> {
        let Some(person) = self.person(id) else {
            let known = self.people.iter().map(|person| person.id.as_str());
            let help = suggest::known(id.as_str(), known);
            return Err(AuthenticationError::Unknown { id: id.clone(), help });
        };
        let name = || person.name.clone();
        let (Some(variable), Some(expected)) = (&person.token_env, &person.token_sha256) else {
            return Err(AuthenticationError::NotRegistered { name: name() });
        };
        let variable = || variable.clone();
        let token = env::var(variable()).unwrap_or_default();
        if token.is_empty() {
            return Err(AuthenticationError::NotSet { name: name(), variable: variable() });
        }
        let actual = Digest::of(token.as_bytes()).to_string();
        // Comparing digests in constant time tells a guesser nothing about how close they came.
        if !bool::from(actual.as_bytes().ct_eq(expected.as_bytes())) {
            return Err(AuthenticationError::Mismatch { name: name(), variable: variable() });
        }
        if token.chars().count() < SHORTEST_TOKEN {
            return Err(AuthenticationError::TooShort { variable: variable() });
        }
        Ok(person)
    }

    /// The person of that id.
    #[must_use]
    pub fn person(&self, id: &PersonId) -> Option<&Person> {
        self.people.iter().find(|person| person.id == *id)
    }
}

pub(super) fn read(root: &Table<'_>) -> Vec<Person> {
    let mut people: Vec<Person> = Vec::new();
    for table in root.tables("people") {
        let Some(person) = read_one(&table) else { continue };
        if people.iter().any(|other| other.id == person.id) {
            table.fault("id", format!("“{}”写了两次；每人一个代号", person.id));
        }
        people.push(person);
    }
    people
}

fn read_one(table: &Table<'_>) -> Option<Person> {
    let id = table.required_parsed(
        "id",
        "写代号，例如 author-a；命令行里写 --as author-a",
        |text| PersonId::new(text).map_err(|error| error.to_string()),
    );
    let name = table.required("name", "写姓名或岗位，例如 审查岗乙");
    if !table.has("roles") {
        table.fault("roles", format!("没有写；{}", suggest::known("", ROLES)));
    }
    let roles = table.list("roles", |text| {
        if ROLES.contains(&text) {
            Ok(text.to_owned())
        } else {
            Err(format!("没有角色“{}”；{}", shorten(text), suggest::known(text, ROLES)))
        }
    });
    let department = table.text("department").filter(|department| !department.is_empty());
    if department.is_none() && roles.iter().flatten().any(|role| role == "co-reviewer") {
        table.fault("department", "会签人要写部门，和 topics.toml 的 department 一样");
    }
    let branch =
        table.parsed("branch", |text| BranchId::new(text).map_err(|error| error.to_string()));
    if branch.is_none() && roles.iter().flatten().any(|role| role == "branch") {
        table.fault("branch", "网点人员要写自己的网点代号，和 branches.csv 的 id 一样");
    }
    let token_env = table.parsed("token_env", |text| {
        let fits = text.starts_with(|first: char| first.is_ascii_uppercase())
            && text.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_');
        // What was written may be the token itself, so it is not shown.
        if fits {
            Ok(text.to_owned())
        } else {
            Err("应是环境变量的名字，例如 CAISHI_TOKEN_A，不是口令本身".into())
        }
    });
    let token_sha256 = table.parsed("token_sha256", |text| {
        let fits = text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        if fits {
            Ok(text.to_ascii_lowercase())
        } else {
            Err("应是口令的 SHA-256，64 个十六进制数字（printf %s 口令 | sha256sum），不是口令本身"
                .into())
        }
    });
    if token_sha256.is_some() && !table.has("token_env") {
        table.fault("token_env", "没有写；写口令放在哪个环境变量里，例如 CAISHI_TOKEN_A");
    }
    table.finish();
    Some(Person {
        id: id?,
        name: name?,
        roles: roles?,
        department,
        branch,
        token_env,
        token_sha256,
    })
}
