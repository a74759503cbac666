//! openNDS's forwarding authentication service (FAS), security level 1: the gateway sends a guest
//! with `fas`, base64 of `name=value` pairs; whoever answers its `opennds_auth` with
//! SHA-256(hid ‖ faskey) lets the guest on (openNDS documentation, “FAS”; 9.10).

use super::{Portal, Shared, page};
use crate::model::BranchId;
use axum::{
    extract::{Path, Query, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use base64::{
    Engine as _, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use secrecy::ExposeSecret as _;
use sha2::{Digest as _, Sha256};
use std::{collections::HashMap, fmt::Write as _, net::IpAddr};

const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// Longer than any gateway's.
const LONGEST: usize = 8_192;

pub(super) async fn page(
    State(portal): Shared,
    Path(branch): Path<String>,
    Query(query): Query<HashMap<String, String>>,
) -> Response {
    if BranchId::new(&branch).is_err() {
        return StatusCode::NOT_FOUND.into_response();
    }
    // The gateway asks again for a guest who is on already.
    if query.get("status").is_some_and(|status| status == "authenticated") {
        return Redirect::to(&format!("/portal/{branch}/venue")).into_response();
    }
    match form(&portal, &branch, query.get("fas").map_or("", String::as_str)) {
        Ok(form) => portal.page(&branch, &form).await,
        Err(reason) => {
            tracing::warn!(branch, "openNDS：{reason}");
            let bank = &portal.publisher.config.bank.name;
            page::refused(bank, "请断开 Wi-Fi 再连一次；还不行，请找大堂经理")
        }
    }
}

/// Asked by the gateway's script before it sends a guest here: whether [`page`] could let one on.
pub(super) async fn ready(State(portal): Shared, Path(branch): Path<String>) -> Response {
    if portal.key.is_none() || BranchId::new(&branch).is_err() {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    (StatusCode::OK, "ready\n").into_response()
}

/// The form that lets the guest on.
fn form(portal: &Portal, branch: &str, fas: &str) -> Result<page::Form, String> {
    let key = portal.key.as_ref().ok_or("没有配置 [server] opennds_key")?;
    if fas.len() > LONGEST {
        return Err("fas 太长".into());
    }
    let request = Request::parse(fas)?;
    let mut hash = Sha256::new();
    hash.update(request.hid.as_bytes());
    hash.update(key.expose_secret().as_bytes());
    let mut token = String::with_capacity(64);
    for byte in hash.finalize() {
        let _ = write!(token, "{byte:02x}");
    }
    let back = format!("{}/portal/{branch}/welcome?on={}", portal.guest_base(), portal.let_on);
    Ok(page::Form {
        action: format!("http://{}/{}/", request.gateway, request.directory),
        fields: vec![("tok", token), ("redir", back)],
    })
}

/// What the gateway says about a guest, as far as it is needed; the rest is not even read.
#[derive(Debug, PartialEq, Eq)]
struct Request {
    /// The client's hashed identity.
    hid: String,
    /// Address and port of the gateway.
    gateway: String,
    /// The path that lets guests on.
    directory: String,
}

impl Request {
    /// Everything here came by way of the guest's phone: an address that is no gateway's would
    /// make a button of ours lead anywhere.
    fn parse(fas: &str) -> Result<Self, String> {
        // A plus sign in an address arrives as a space; and what the gateway's script cut off ends
        // in the middle of a group of four.
        if !fas.is_ascii() {
            return Err("fas 不是 base64".into());
        }
        let fas = fas.trim().trim_end_matches('=').replace(' ', "+");
        let fas = &fas[..fas.len() - usize::from(fas.len() % 4 == 1)];
        let bytes = LENIENT.decode(fas).map_err(|_| "fas 不是 base64")?;
        let text = String::from_utf8_lossy(&bytes);
        let values: HashMap<&str, &str> =
            text.split(", ").filter_map(|pair| pair.split_once('=')).collect();
        let hid = values.get("hid").copied().unwrap_or_default();
        if !(16..=128).contains(&hid.len()) || !hid.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err("fas 里没有 hid".into());
        }
        let gateway = values.get("gatewayaddress").copied().unwrap_or_default();
        if !is_gateway(gateway) {
            let shown: String = gateway.chars().take(60).collect();
            return Err(format!("网关地址 {shown:?} 不是内网的地址和端口"));
        }
        let directory = values.get("authdir").copied().unwrap_or("opennds_auth");
        if !directory.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
            || directory.is_empty()
        {
            return Err("authdir 不对".into());
        }
        Ok(Self {
            hid: hid.to_owned(),
            gateway: gateway.to_owned(),
            directory: directory.to_owned(),
        })
    }
}

/// A private address and a port.
fn is_gateway(text: &str) -> bool {
    let Ok(address) = text.parse::<std::net::SocketAddr>() else { return false };
    match address.ip() {
        IpAddr::V4(ip) => {
            let [a, b, ..] = ip.octets();
            // RFC 6598's shared addresses are used behind carriers' translators.
            ip.is_private() || ip.is_link_local() || (a == 100 && (64..128).contains(&b))
        }
        IpAddr::V6(ip) => ip.is_unique_local() || ip.is_unicast_link_local(),
    }
}
