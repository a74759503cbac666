//! SOAP 1.1 as XMDS uses it: one operation in the body, its parameters by name.

use super::xml::{Element, escape};

/// A call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Call {
    /// The operation.
    pub operation: String,
    parameters: Element,
}

/// Whose fault it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Blame {
    /// The player's: the same again will fail again.
    Sender,
    /// Ours.
    Receiver,
}

/// What an operation returns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    /// Text, under its part's name.
    Text(&'static str, String),
    /// Base64, under `file`.
    File(String),
    /// Done.
    Success,
}

impl Call {
    /// Reads a call; `None` where it is none.
    pub(super) fn parse(body: &str) -> Option<Self> {
        let envelope = Element::parse(body)?;
        if envelope.name != "Envelope" {
            return None;
        }
        let parameters = envelope.child("Body")?.children.first()?.clone();
        Some(Self { operation: parameters.name.clone(), parameters })
    }

    /// A parameter; empty where it is not given.
    pub(super) fn text(&self, name: &str) -> &str {
        self.parameters.text_of(name)
    }

    /// A parameter that is a number: players write offsets as `12` or `12.0`.
    pub(super) fn number(&self, name: &str) -> Option<u64> {
        let text = self.text(name);
        let text = text.split_once('.').map_or(text, |(whole, _)| whole);
        text.parse().ok()
    }
}

const HEAD: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<SOAP-ENV:Envelope \
     xmlns:SOAP-ENV=\"http://schemas.xmlsoap.org/soap/envelope/\" xmlns:ns1=\"urn:xmds\" \
     xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\" \
     xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" \
     SOAP-ENV:encodingStyle=\"http://schemas.xmlsoap.org/soap/encoding/\"><SOAP-ENV:Body>";
const TAIL: &str = "</SOAP-ENV:Body></SOAP-ENV:Envelope>\n";

/// The answer to an operation.
pub(super) fn answer(operation: &str, value: &Value) -> String {
    let part = match value {
        Value::Text(name, text) => {
            format!("<{name} xsi:type=\"xsd:string\">{}</{name}>", escape(text))
        }
        Value::File(base64) => format!("<file xsi:type=\"xsd:base64Binary\">{base64}</file>"),
        Value::Success => "<success xsi:type=\"xsd:boolean\">true</success>".to_owned(),
    };
    format!("{HEAD}<ns1:{operation}Response>{part}</ns1:{operation}Response>{TAIL}")
}

/// A fault.
pub(super) fn fault(blame: Blame, text: &str) -> String {
    let code = match blame {
        Blame::Sender => "Sender",
        Blame::Receiver => "Receiver",
    };
    format!(
        "{HEAD}<SOAP-ENV:Fault><faultcode>{code}</faultcode><faultstring>{}</faultstring>\
         </SOAP-ENV:Fault>{TAIL}",
        escape(text)
    )
}
