//! Opening the ledger: connections, settings that the promises rest on, migrations.

use super::{
    Answer, Store, StoreError,
    blob::{self, operator},
    database::{CONNECTIONS, Database, Dialect},
    value::{Columns, fetch_optional},
    wake::Wake,
};
use crate::config::StorageConfig;
use secrecy::ExposeSecret as _;
use sqlx::{
    Any, AnyConnection, AnyPool, ConnectOptions as _, Connection as _, Executor as _,
    any::{AnyConnectOptions, AnyPoolOptions},
    migrate::{MigrateError, Migrator},
    postgres::PgConnectOptions,
};
use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use url::Url;

static SQLITE: Migrator = sqlx::migrate!("src/store/migrations/sqlite");
static POSTGRES: Migrator = sqlx::migrate!("src/store/migrations/postgres");

/// A full write barrier at every commit: what was promised survives a power cut. A lock of another
/// process is waited for.
const SQLITE_SETTINGS: &str = "PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; \
     PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA journal_size_limit = 67108864;";

/// A commit is on disk before it returns. A worker that was stopped inside a transaction loses it
/// after 15 seconds, or everybody would wait for it.
const POSTGRES_SETTINGS: &str = "SELECT set_config('synchronous_commit', 'on', false) \
     WHERE current_setting('synchronous_commit') = 'off'; \
     SET lock_timeout = '10s'; SET idle_in_transaction_session_timeout = '15s'; \
     SET client_min_messages = 'warning';";

/// How long a connection is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// Where the ledger is.
struct Address {
    dialect: Dialect,
    url: Url,
}

impl Address {
    fn new(config: &StorageConfig, folder: &Path) -> Answer<Self> {
        if let Some(path) = config.database.strip_prefix("sqlite:") {
            let path = folder.join(path.trim_start_matches("//"));
            return Self::sqlite(&path);
        }
        let mut url = Url::parse(&config.database).map_err(|error| {
            StoreError::Configuration(format!(
                "[database] 的地址写错了（{error}），应是 sqlite:<路径> 或 postgres://用户@主机/库"
            ))
        })?;
        if !matches!(url.scheme(), "postgres" | "postgresql") {
            return Err(StoreError::Configuration(format!(
                "[database] 不认识“{}:”，应是 sqlite:<路径> 或 postgres://用户@主机/库",
                url.scheme()
            )));
        }
        if let Some(reference) = &config.database_password {
            let password = reference
                .resolve(folder)
                .map_err(|error| StoreError::Configuration(format!("取不到数据库密码：{error}")))?;
            url.set_password(Some(&escaped(password.expose_secret()))).map_err(|()| {
                StoreError::Configuration("[database] 的地址里没有主机，没处放密码".to_owned())
            })?;
        }
        Ok(Self { dialect: Dialect::Postgres, url })
    }

    fn sqlite(path: &Path) -> Answer<Self> {
        let cannot = |reason: String| {
            StoreError::Configuration(format!(
                "建不了数据库文件 {}：{reason}；请检查路径和权限",
                path.display()
            ))
        };
        let path = std::path::absolute(path).map_err(|error| cannot(error.to_string()))?;
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).map_err(|error| cannot(error.to_string()))?;
        }
        // A file's address has the escaping that `sqlite:` undoes.
        let file = Url::from_file_path(&path).map_err(|()| cannot("路径写不成网址".to_owned()))?;
        let text = format!("sqlite://{}?mode=rwc", file.path());
        let url = Url::parse(&text).map_err(|error| cannot(error.to_string()))?;
        Ok(Self { dialect: Dialect::Sqlite, url })
    }

    fn options(&self) -> Answer<AnyConnectOptions> {
        AnyConnectOptions::from_url(&self.url)
            .map(sqlx::ConnectOptions::disable_statement_logging)
            .map_err(|error| StoreError::database("读数据库地址", error))
    }

    fn server(&self) -> Option<PgConnectOptions> {
        (self.dialect == Dialect::Postgres)
            .then(|| PgConnectOptions::from_url(&self.url).ok())
            .flatten()
    }
}

/// Everything but letters and digits as `%XX`; `Url` leaves a `%` as it is.
fn escaped(text: &str) -> String {
    let byte = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(byte).collect()
}

async fn settle(connection: &mut AnyConnection, dialect: Dialect) -> sqlx::Result<()> {
    let settings = match dialect {
        Dialect::Sqlite => SQLITE_SETTINGS,
        Dialect::Postgres => POSTGRES_SETTINGS,
    };
    connection.execute(settings).await.map(drop)
}

fn pool(address: &Address, connections: u32) -> Answer<AnyPool> {
    let dialect = address.dialect;
    Ok(AnyPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(PATIENCE)
        // A server that has gone is noticed when a transaction begins, which is tried again.
        .test_before_acquire(false)
        .after_release(|connection, _| {
            Box::pin(async move {
                // A disk that is full ends SQLite's transaction behind the driver's back, which
                // then takes itself to be inside one for ever.
                Ok(connection.ping().await.is_ok() && !connection.is_in_transaction())
            })
        })
        .after_connect(move |connection, _| Box::pin(settle(connection, dialect)))
        .connect_lazy_with(address.options()?))
}

/// During what, while opening.
const OPENING: &str = "打开数据库";

/// Connects once, without the pool's patience, and brings the tables up to date.
async fn migrate(address: &Address) -> Answer<()> {
    let begun = Instant::now();
    let mut pause = Duration::from_millis(50);
    loop {
        match migrate_once(address).await {
            Ok(()) => return Ok(()),
            // Where several processes make the same new file, SQLite refuses all but one at once.
            Err(_) if address.dialect == Dialect::Sqlite && begun.elapsed() < SETTLING => {
                tokio::time::sleep(pause).await;
                pause *= 2;
            }
            Err(error) => return Err(migration_error(error)),
        }
    }
}

/// How long processes that make the same new file get into each other's way, at most.
const SETTLING: Duration = Duration::from_secs(2);

fn migration_error(error: MigrateError) -> StoreError {
    match error {
        MigrateError::Execute(source) | MigrateError::ExecuteMigration(source, _) => {
            StoreError::database(OPENING, source)
        }
        MigrateError::VersionMissing(version) => StoreError::Configuration(format!(
            "数据库是更新版本的 caishi 建的（第 {version} 版），请用那个版本打开"
        )),
        other => StoreError::Configuration(format!("数据库的表结构对不上：{other}")),
    }
}

async fn migrate_once(address: &Address) -> Result<(), MigrateError> {
    let options = AnyConnectOptions::from_url(&address.url)?.disable_statement_logging();
    let mut connection = AnyConnection::connect_with(&options).await?;
    settle(&mut connection, address.dialect).await?;
    let migrator = match address.dialect {
        Dialect::Sqlite => &SQLITE,
        Dialect::Postgres => &POSTGRES,
    };
    migrator.run(&mut connection).await?;
    connection.close().await?;
    Ok(())
}

/// The oldest server that the tables are made for.
async fn check_version(pool: &sqlx::Pool<Any>) -> Answer<()> {
    let sql = "SELECT CAST(current_setting('server_version_num') AS BIGINT) AS version";
    let row = fetch_optional(pool, "问数据库的版本", sql, Vec::new()).await?;
    let version = row.map_or(Ok(0), |row| row.number("version"))?;
    if version < 150_000 {
        return Err(StoreError::Configuration(format!(
            "Postgres 的版本是 {}，需要 15 或更新；请升级数据库",
            version / 10_000
        )));
    }
    Ok(())
}

impl Store {
    /// Opens both, creating and migrating what is missing. Relative paths lie below `folder`.
    /// Where database and blob store do not belong together (restored, cloned), the deployment
    /// is held.
    ///
    /// # Errors
    /// [`StoreError`], each with the next step.
    pub async fn open(config: &StorageConfig, folder: &Path) -> Answer<Self> {
        let store = Self::connect(config, folder).await?;
        store.recognise().await?;
        Ok(store)
    }

    /// Opens what is there, to read it: no database is made where there is none, and nothing is
    /// held or released.
    ///
    /// # Errors
    /// [`StoreError`], each with the next step.
    pub async fn open_existing(config: &StorageConfig, folder: &Path) -> Answer<Option<Self>> {
        if let Some(path) = config.database.strip_prefix("sqlite:") {
            let path = folder.join(path.trim_start_matches("//"));
            if !path.is_file() {
                return Ok(None);
            }
        }
        Self::connect(config, folder).await.map(Some)
    }

    /// Opens both without asking whether they belong together.
    pub(super) async fn connect(config: &StorageConfig, folder: &Path) -> Answer<Self> {
        // Fails where a provider is there already, which is as good.
        let _installed = rustls::crypto::ring::default_provider().install_default();
        sqlx::any::install_default_drivers();
        let address = Address::new(config, folder)?;
        migrate(&address).await?;
        let (writer, reader) = match address.dialect {
            Dialect::Sqlite => (pool(&address, 1)?, pool(&address, 4)?),
            Dialect::Postgres => {
                let pool = pool(&address, CONNECTIONS)?;
                check_version(&pool).await?;
                (pool.clone(), pool)
            }
        };
        Ok(Self {
            database: Arc::new(Database {
                dialect: address.dialect,
                writer,
                reader,
                shift: AtomicI64::new(0),
                wake: Arc::new(Wake::new(address.server())),
            }),
            blobs: operator(&config.blobs, folder)?,
            blob_folder: blob::folder_of(&config.blobs, folder),
            seen: AtomicU64::new(0),
        })
    }

    /// The ledger's clock: the database's on Postgres, this machine's on SQLite; tests shift it.
    ///
    /// # Errors
    /// [`StoreError`] where the database does not answer.
    pub async fn now(&self) -> Answer<jiff::Timestamp> {
        self.database.now().await
    }

    /// Shifts the clock of this handle and its clones, further with every call; for tests and
    /// rehearsals.
    pub fn shift_clock(&self, by: jiff::SignedDuration) {
        let by = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
        self.database.shift.fetch_add(by, Ordering::Relaxed);
        self.database.wake.all();
    }

    /// The folder of a folder blob store, for `doctor`'s look at the disk.
    pub fn blob_folder(&self) -> Option<PathBuf> {
        self.blob_folder.clone()
    }
}
