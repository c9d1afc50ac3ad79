//! Answers: JSON with its headers, and what is said when there is none.

use crate::codec::json::quote;
use hyper::{Response, StatusCode, header};

/// An answer.
pub type Reply = Response<Vec<u8>>;

/// JSON that is complete.
pub fn json(status: StatusCode, mut body: Vec<u8>) -> Reply {
    body.push(b'\n');
    with_type(status, "application/json", body)
}

/// An answer of a type. Nobody may keep it: it is of this moment.
pub fn with_type(status: StatusCode, content_type: &'static str, body: Vec<u8>) -> Reply {
    let mut reply = Response::new(body);
    *reply.status_mut() = status;
    let headers = reply.headers_mut();
    headers.insert(header::CONTENT_TYPE, header::HeaderValue::from_static(content_type));
    headers.insert(header::CACHE_CONTROL, header::HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, header::HeaderValue::from_static("nosniff"));
    reply
}

/// Says what is wrong, and what to do about it.
pub fn error(status: StatusCode, message: &str, help: Option<&str>) -> Reply {
    let mut body = b"{\"error\":".to_vec();
    quote(&mut body, message.as_bytes());
    if let Some(help) = help {
        body.extend_from_slice(b",\"help\":");
        quote(&mut body, help.as_bytes());
    }
    body.push(b'}');
    json(status, body)
}

/// Says of which partitions an answer speaks.
pub fn of_partitions(mut reply: Reply, partitions: &[u32]) -> Reply {
    let named: Vec<_> = partitions.iter().map(u32::to_string).collect();
    if let Ok(value) = header::HeaderValue::from_str(&named.join(",")) {
        reply.headers_mut().insert("streamrun-partitions", value);
    }
    reply
}
