//! Pictures: uploaded for articles, or kept as permanent material.

use super::{
    account::{Material, Picture},
    gate::{Answer, Call, Refusal},
};
use crate::model::Digest;
use axum::extract::{FromRequest as _, Multipart, Request};
use image::ImageFormat;
use serde_json::{Value, json};
use std::{io::Cursor, sync::Arc};

/// Pictures of articles must stay below.
const ARTICLE_PICTURE_BYTES: usize = 1 << 20;
/// Permanent pictures may have.
const MATERIAL_PICTURE_BYTES: usize = 10 << 20;
/// Thumbs may have.
const THUMB_BYTES: usize = 64 << 10;
/// An account may keep so many pictures.
const MATERIAL_LIMIT: usize = 100_000;

/// A file that was sent.
#[derive(Debug, Clone)]
pub(super) struct Upload {
    name: String,
    bytes: Arc<[u8]>,
    /// The format, if it is a picture that can be decoded.
    format: Option<ImageFormat>,
}

impl Upload {
    /// Takes the part `media` out of a form and looks at it; the code where there is none.
    pub(super) async fn read(request: Request) -> Result<Self, i64> {
        let mut form = Multipart::from_request(request, &()).await.map_err(|_| 41005)?;
        while let Some(field) = form.next_field().await.map_err(|_| 41005)? {
            if field.name() != Some("media") {
                continue;
            }
            // A part without a file name is no file to the platform.
            let name = field.file_name().filter(|name| !name.is_empty()).ok_or(41005)?.to_owned();
            let bytes = field.bytes().await.map_err(|_| 41005)?;
            if bytes.is_empty() {
                return Err(44001);
            }
            let bytes: Arc<[u8]> = bytes.as_ref().into();
            let looked_at = Arc::clone(&bytes);
            let format = tokio::task::spawn_blocking(move || decoded(&looked_at)).await;
            return Ok(Self { name, bytes, format: format.ok().flatten() });
        }
        Err(41005)
    }

    fn sha256(&self) -> String {
        Digest::of(&self.bytes).to_string()
    }
}

/// The format of bytes that are a whole picture.
fn decoded(bytes: &[u8]) -> Option<ImageFormat> {
    let mut reader = image::ImageReader::new(Cursor::new(bytes)).with_guessed_format().ok()?;
    let mut limits = image::Limits::default();
    // Small files that unpack to gigabytes are refused, not unpacked.
    limits.max_alloc = Some(256 << 20);
    reader.limits(limits);
    let format = reader.format()?;
    reader.decode().ok().map(|_| format)
}

fn upload(call: &mut Call<'_>) -> Result<Upload, Refusal> {
    call.upload.take().ok_or_else(|| Refusal::of(41005))
}

/// Where a picture is found on this machine, from its address on the platform.
pub(in crate::sandbox) fn local_path(url: &str) -> Option<String> {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"))?;
    let rest = rest.split(['?', '#']).next()?;
    rest.strip_prefix("mmbiz.qpic.cn/").map(|path| format!("/wechat/mmbiz/{path}"))
}

/// The host and path of an address: the key of `Account::pictures`.
pub(super) fn address(url: &str) -> Option<&str> {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"))?;
    rest.split(['?', '#']).next()
}

/// Gives a picture an address of the platform's form.
fn publish(call: &mut Call<'_>, upload: &Upload, format: ImageFormat) -> String {
    let (folder, kind, media_type) = match format {
        ImageFormat::Png => ("mmbiz_png", "png", "image/png"),
        ImageFormat::Gif => ("mmbiz_gif", "gif", "image/gif"),
        ImageFormat::Bmp => ("mmbiz_bmp", "bmp", "image/bmp"),
        _ => ("mmbiz_jpg", "jpeg", "image/jpeg"),
    };
    let name = call.world.fresh("picture", 86);
    let path = format!("mmbiz.qpic.cn/{folder}/{name}/0");
    let sha256 = upload.sha256();
    call.world.pictures.insert(sha256.clone(), Arc::clone(&upload.bytes));
    let picture = Picture { sha256, media_type: media_type.to_owned() };
    call.account().pictures.insert(path.clone(), picture);
    // The platform answers http, not https.
    format!("http://{path}?wx_fmt={kind}")
}

/// `POST media/uploadimg`.
pub(super) fn uploadimg(call: &mut Call<'_>) -> Answer {
    let upload = upload(call)?;
    if upload.bytes.len() >= ARTICLE_PICTURE_BYTES {
        return Err(Refusal::of(40009));
    }
    let format = upload
        .format
        .filter(|format| matches!(format, ImageFormat::Jpeg | ImageFormat::Png))
        .ok_or_else(|| Refusal::of(40005))?;
    let url = publish(call, &upload, format);
    Ok(json!({ "url": url }))
}

/// `POST material/add_material?type=image|thumb`.
pub(super) fn add_material(call: &mut Call<'_>) -> Answer {
    let kind = call.query.get("type").cloned().unwrap_or_default();
    let upload = upload(call)?;
    let size = upload.bytes.len();
    let format = match kind.as_str() {
        "image" if size > MATERIAL_PICTURE_BYTES => return Err(Refusal::of(40009)),
        "thumb" if size > THUMB_BYTES => return Err(Refusal::of(40012)),
        "image" => upload.format.filter(|format| {
            matches!(
                format,
                ImageFormat::Jpeg | ImageFormat::Png | ImageFormat::Gif | ImageFormat::Bmp
            )
        }),
        "thumb" => upload.format.filter(|format| *format == ImageFormat::Jpeg),
        // Sound and film are not what a bank's lessons are made of: the stand-in takes none.
        _ => return Err(Refusal::of(40004)),
    };
    let format = format.ok_or_else(|| Refusal::of(40005))?;
    if call.account().materials.len() >= MATERIAL_LIMIT {
        return Err(Refusal::of(45001).saying("material count"));
    }
    let url = publish(call, &upload, format);
    let media_id = call.world.fresh("material", 64);
    let material = Material {
        media_id: media_id.clone(),
        kind,
        name: upload.name.clone(),
        url: url.clone(),
        sha256: upload.sha256(),
        bytes: upload.bytes.len(),
        at: call.now,
    };
    call.account().materials.insert(media_id.clone(), material);
    Ok(json!({ "media_id": media_id, "url": url, "item": [] }))
}

/// `POST material/del_material`.
pub(super) fn del_material(call: &mut Call<'_>) -> Answer {
    let media_id = call.text("media_id");
    match call.account().materials.remove(&media_id) {
        Some(_) => Ok(json!({ "errcode": 0, "errmsg": "ok" })),
        None => Err(Refusal::of(40007)),
    }
}

/// `GET material/get_materialcount`.
pub(super) fn get_materialcount(call: &mut Call<'_>) -> Answer {
    let count = call.account().materials.values().filter(|material| material.kind == "image");
    Ok(json!({
        "voice_count": 0,
        "video_count": 0,
        "image_count": count.count(),
        "news_count": 0,
    }))
}

/// `POST material/batchget_material {type,offset,count}`.
pub(super) fn batchget_material(call: &mut Call<'_>) -> Answer {
    let kind = call.text("type");
    let (offset, count) = page(call.json())?;
    let all: Vec<&Material> =
        call.account().materials.values().filter(|material| material.kind == kind).collect();
    let items: Vec<Value> = all
        .iter()
        .skip(offset)
        .take(count)
        .map(|material| {
            json!({
                "media_id": material.media_id,
                "name": material.name,
                "update_time": material.at.as_second(),
                "url": material.url,
            })
        })
        .collect();
    Ok(json!({ "total_count": all.len(), "item_count": items.len(), "item": items }))
}

/// `offset` and `count` of a list: 1 to 20.
pub(super) fn page(body: &Value) -> Result<(usize, usize), Refusal> {
    let number = |name: &str| body[name].as_u64().and_then(|number| usize::try_from(number).ok());
    match (number("offset"), number("count")) {
        (Some(offset), Some(count)) if (1..=20).contains(&count) => Ok((offset, count)),
        _ => Err(Refusal::of(40097)),
    }
}
