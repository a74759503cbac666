//! The endpoint.

use super::{
    Display, News, Registration, Standing, XmdsBackend, books,
    document::{self, CardFiles, File},
    plan::{Plan, plan},
    soap::{self, Blame, Call, Value},
};
use crate::model::Digest;
use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, State},
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
    routing::post,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use md5::{Digest as _, Md5};
use std::{
    collections::BTreeMap,
    fmt::Write as _,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Stats of a week, an inventory, a screenshot that is thrown away.
const LARGEST_CALL: usize = 8 << 20;
/// The largest piece of a file.
const LARGEST_PIECE: u64 = 4 << 20;
/// Files whose MD5 is remembered, and numbers of a screen that are.
const REMEMBERED: usize = 4096;

/// The routes, as different players spell them.
pub fn router(backend: Arc<dyn XmdsBackend>) -> Router {
    let service = Arc::new(Service { backend, memory: Mutex::default() });
    Router::new()
        .route("/xmds", post(call))
        .route("/xmds.php", post(call))
        .route("/xmds/xmds.php", post(call))
        .layer(DefaultBodyLimit::max(LARGEST_CALL))
        .with_state(service)
}

struct Service {
    backend: Arc<dyn XmdsBackend>,
    memory: Mutex<Memory>,
}

/// What can be worked out again, and what late reports speak of.
#[derive(Default)]
struct Memory {
    md5: BTreeMap<Digest, String>,
    /// Numbers of posters and their layouts by screen, those of earlier plans too.
    numbers: BTreeMap<Display, books::Numbers>,
    /// Files of earlier plans by screen: number and name.
    given: BTreeMap<Display, BTreeMap<u32, String>>,
}

/// Why a call is not answered.
enum Fault {
    Sender(&'static str),
    Receiver(anyhow::Error),
}

impl From<anyhow::Error> for Fault {
    fn from(error: anyhow::Error) -> Self {
        Self::Receiver(error)
    }
}

/// A screen's plan and card.
struct Programme {
    plan: Plan,
    card: CardFiles,
    picture: Option<Bytes>,
}

async fn call(State(service): State<Arc<Service>>, body: Bytes) -> Response {
    let call = std::str::from_utf8(&body).ok().and_then(Call::parse);
    let answered = match &call {
        Some(call) => service.answer(call).await,
        None => Err(Fault::Sender("请求读不懂")),
    };
    let operation = call.as_ref().map_or("", |call| call.operation.as_str());
    let (status, text) = match answered {
        Ok(value) => (StatusCode::OK, soap::answer(operation, &value)),
        // A fault goes with 500 (SOAP 1.1 §6.2).
        Err(Fault::Sender(text)) => {
            (StatusCode::INTERNAL_SERVER_ERROR, soap::fault(Blame::Sender, text))
        }
        Err(Fault::Receiver(error)) => {
            tracing::error!(operation, error = format!("{error:#}"), "XMDS 请求没有答成");
            let text = soap::fault(Blame::Receiver, "总行暂时答不了，请稍后再来");
            (StatusCode::INTERNAL_SERVER_ERROR, text)
        }
    };
    (status, [(header::CONTENT_TYPE, "text/xml; charset=utf-8")], text).into_response()
}

impl Service {
    async fn answer(&self, call: &Call) -> Result<Value, Fault> {
        if call.operation == "RegisterDisplay" {
            return self.register(call).await;
        }
        let keys = (call.text("serverKey"), call.text("hardwareKey"));
        let display = match self.backend.standing(keys.0, keys.1).await? {
            Standing::Ready(display) => display,
            Standing::Waiting => return Err(Fault::Sender("这台播放器还没有分配给网点的屏幕")),
            Standing::WrongKey => return Err(Fault::Sender("服务器密钥不对")),
        };
        match call.operation.as_str() {
            "RequiredFiles" => {
                let files = self.files(&display, &self.programme(&display).await?).await?;
                let text = document::files_document(&files, self.backend.now().await?);
                Ok(Value::Text("RequiredFilesXml", text))
            }
            "Schedule" => {
                let programme = self.programme(&display).await?;
                let text = document::schedule(&programme.plan, &programme.card);
                Ok(Value::Text("ScheduleXml", text))
            }
            "GetFile" => self.piece(call, &display).await,
            "GetResource" => {
                let programme = self.programme(&display).await?;
                let card = call.text("layoutId") == programme.card.layout_id.to_string();
                if !card || programme.card.picture {
                    return Err(Fault::Sender("没有这个资源"));
                }
                Ok(Value::Text("resource", document::card_page(&programme.plan)))
            }
            _ => self.told(call, &display).await,
        }
    }

    async fn register(&self, call: &Call) -> Result<Value, Fault> {
        let text = |name: &str| call.text(name).chars().take(200).collect::<String>();
        let registration = Registration {
            server_key: text("serverKey"),
            hardware_key: text("hardwareKey"),
            name: text("displayName"),
            client: text("clientType"),
            version: text("clientVersion"),
        };
        if registration.hardware_key.is_empty() {
            return Err(Fault::Sender("播放器没有报上自己的编号"));
        }
        let text = match self.backend.register(&registration).await? {
            Standing::WrongKey => return Err(Fault::Sender("服务器密钥不对")),
            Standing::Waiting => document::waiting(),
            Standing::Ready(display) => {
                let programme = self.programme(&display).await?;
                let files = self.files(&display, &programme).await?;
                let schedule = document::schedule(&programme.plan, &programme.card);
                document::ready(&programme.plan, self.backend.now().await?, &files, &schedule)
            }
        };
        Ok(Value::Text("ActivationMessage", text))
    }

    async fn programme(&self, display: &Display) -> Result<Programme, Fault> {
        let indexes = self.backend.indexes(&display.branch).await?;
        let plan = plan(&indexes, &display.screen, self.backend.now().await?);
        let plan = plan.ok_or(Fault::Sender("网点的清单里没有这块屏"))?;
        let (width, height) = (plan.screen.width, plan.screen.height);
        let picture = self.backend.card(display, width, height).await?;
        let card = CardFiles::of(&plan, picture.as_deref().map(Digest::of));
        let mut memory = self.memory();
        let numbers = memory.numbers.entry(display.clone()).or_default();
        for poster in &plan.posters {
            numbers.insert(poster.media_id, poster.sha256);
            numbers.insert(poster.layout_id, poster.sha256);
        }
        while numbers.len() > REMEMBERED {
            numbers.pop_first();
        }
        drop(memory);
        Ok(Programme { plan, card, picture })
    }

    /// The inner document of `RequiredFiles`.
    async fn files(&self, display: &Display, programme: &Programme) -> Result<String, Fault> {
        let Programme { plan, card, picture } = programme;
        let mut files = Vec::new();
        if let Some(picture) = picture {
            let name = format!("{}.png", card.media_id);
            files.push(file("media", card.media_id, picture, name));
        }
        let text = document::card_layout(plan, card);
        files.push(file("layout", card.layout_id, text.as_bytes(), layout_name(card.layout_id)));
        for poster in &plan.posters {
            // What is not there cannot be asked for; the schedule's dependants keep its layout off.
            let Some(md5) = self.md5(&poster.sha256).await? else { continue };
            let (id, bytes) = (poster.media_id, poster.bytes);
            files.push(File { kind: "media", id, bytes, md5, name: document::file_name(poster) });
            let text = document::poster_layout(plan, poster);
            let name = layout_name(poster.layout_id);
            files.push(file("layout", poster.layout_id, text.as_bytes(), name));
        }
        let mut memory = self.memory();
        let given = memory.given.entry(display.clone()).or_default();
        let current: BTreeMap<u32, String> =
            files.iter().map(|file| (file.id, file.name.clone())).collect();
        let gone = given.iter().filter(|(id, _)| !current.contains_key(id));
        let purge: Vec<(u32, String)> = gone.map(|(id, name)| (*id, name.clone())).collect();
        given.extend(current);
        while given.len() > REMEMBERED {
            given.pop_first();
        }
        drop(memory);
        if programme.card.picture {
            return Ok(document::files(&files, &purge));
        }
        let resource = format!(
            "<file type=\"resource\" id=\"{id}\" layoutid=\"{}\" regionid=\"{}\" mediaid=\"{id}\" \
             updated=\"{}\"/>",
            card.layout_id,
            document::REGION,
            card.layout_id,
            id = card.media_id,
        );
        Ok(document::files(&files, &purge) + &resource)
    }

    async fn md5(&self, sha256: &Digest) -> Result<Option<String>, Fault> {
        if let Some(md5) = self.memory().md5.get(sha256) {
            return Ok(Some(md5.clone()));
        }
        let Some(bytes) = self.backend.bytes(sha256).await? else { return Ok(None) };
        let md5 = md5_of(&bytes);
        let mut memory = self.memory();
        while memory.md5.len() >= REMEMBERED {
            memory.md5.pop_first();
        }
        memory.md5.insert(*sha256, md5.clone());
        Ok(Some(md5))
    }

    async fn piece(&self, call: &Call, display: &Display) -> Result<Value, Fault> {
        let fault = Fault::Sender("没有这个文件");
        let Some(id) = call.number("fileId").and_then(|id| u32::try_from(id).ok()) else {
            return Err(fault);
        };
        let Programme { plan, card, picture } = self.programme(display).await?;
        let bytes = match call.text("fileType") {
            "layout" if id == card.layout_id => Some(document::card_layout(&plan, &card).into()),
            "layout" => {
                let poster = plan.posters.iter().find(|poster| poster.layout_id == id);
                poster.map(|poster| document::poster_layout(&plan, poster).into())
            }
            "media" if card.picture && id == card.media_id => picture,
            "media" => match plan.posters.iter().find(|poster| poster.media_id == id) {
                Some(poster) => self.backend.bytes(&poster.sha256).await?,
                None => None,
            },
            _ => None,
        };
        let bytes: Bytes = bytes.ok_or(fault)?;
        let size = bytes.len() as u64;
        let from = call.number("chunkOffset").unwrap_or(0).min(size);
        // The protocol spells it `chuckSize`.
        let wanted = call.number("chuckSize").or_else(|| call.number("chunkSize"));
        let until = from.saturating_add(wanted.unwrap_or(size).min(LARGEST_PIECE)).min(size);
        Ok(Value::File(STANDARD.encode(&bytes[from as usize..until as usize])))
    }

    /// What the player tells of itself.
    async fn told(&self, call: &Call, display: &Display) -> Result<Value, Fault> {
        let unreadable = Fault::Sender("内容读不懂");
        let numbers = || self.memory().numbers.get(display).cloned().unwrap_or_default();
        // After a restart no number is known until the plan has been made once.
        if numbers().is_empty() {
            self.programme(display).await?;
        }
        let news = match call.operation.as_str() {
            "SubmitStats" => {
                let read = books::plays(call.text("statXml"), &numbers()).ok_or(unreadable)?;
                if read.1 > 0 {
                    let (branch, screen, lines) = (&display.branch, &display.screen, read.1);
                    let text = "播放统计里有不认得的版面，没有记";
                    tracing::warn!(%branch, screen, lines, "{text}");
                }
                News::Played(read.0)
            }
            "MediaInventory" => {
                let text = call.text("mediaInventory");
                News::Inventory(books::inventory(text, &numbers()).ok_or(unreadable)?)
            }
            "NotifyStatus" => {
                News::Status(books::status(call.text("status"), &numbers()).ok_or(unreadable)?)
            }
            "SubmitLog" => News::Log(books::log(call.text("logXml")).ok_or(unreadable)?),
            "BlackList" => {
                let id = call.number("mediaId").and_then(|id| u32::try_from(id).ok());
                let known = id.and_then(|id| numbers().get(&id).copied());
                let reason = call.text("reason").chars().take(200).collect();
                match known {
                    Some(sha256) => News::Broken(sha256, reason),
                    None => return Ok(Value::Success),
                }
            }
            // Taken and thrown away: nobody asked for pictures of what stands before a screen.
            "SubmitScreenShot" => return Ok(Value::Success),
            _ => return Err(Fault::Sender("没有这个操作")),
        };
        self.backend.record(display, news).await?;
        Ok(Value::Success)
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn file(kind: &'static str, id: u32, bytes: &[u8], name: String) -> File {
    File { kind, id, bytes: bytes.len() as u64, md5: md5_of(bytes), name }
}

fn layout_name(id: u32) -> String {
    format!("{id}.xlf")
}

fn md5_of(bytes: &[u8]) -> String {
    Md5::digest(bytes).iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
