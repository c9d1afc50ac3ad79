//! The paths there are. Only GET and HEAD; whatever else is asked for is told what there is.

use super::ask::{NoAnswer, Workers};
use super::reply::{self, Reply};
use super::server::Routes;
use super::{pipeline, prometheus, tables};
use crate::codec::json::quote;
use crate::diagnostic::did_you_mean;
use crate::metrics::Exposition;
use hyper::{StatusCode, header};
use std::convert::Infallible;
use std::sync::Arc;
use warp::Filter;
use warp::path::Tail;
use warp::reply::{Reply as _, Response};

/// What can be asked for.
const PATHS: [&str; 7] =
    ["/status/", "/tables/NAME", "/tables/NAME/KEY", "/pipeline", "/metrics", "/live", "/ready"];

type Shared = Arc<Workers>;

/// All paths with their answers.
pub fn routes(workers: Shared) -> Routes {
    let index = path("", &workers, |workers| async move { index(&workers) });
    let status = path("status", &workers, |workers| async move { said(tables::status(&workers).await) });
    let plan = path("pipeline", &workers, |workers| async move { pipeline::reply(&workers).await });
    let metrics = path("metrics", &workers, |workers| async move {
        let text = prometheus::text(&workers.plan, &workers.reports().await, workers.pulses());
        reply::with_type(StatusCode::OK, Exposition::CONTENT_TYPE, text.into_bytes())
    });
    let live = path("live", &workers, |workers| async move { well("live", workers.are_live()) });
    let ready = path("ready", &workers, |workers| async move { well("ready", workers.are_ready()) });
    let table = table(&workers);
    let rest = rest(&workers);
    let all = status.or(table).unify().or(plan).unify().or(metrics).unify();
    all.or(live).unify().or(ready).unify().or(index).unify().or(rest).unify().boxed()
}

/// A path of one word, with or without a slash behind it.
fn path<F, A>(word: &'static str, workers: &Shared, answer: F) -> Routes
where
    F: Fn(Shared) -> A + Clone + Send + Sync + 'static,
    A: Future<Output = Reply> + Send + 'static,
{
    let workers = workers.clone();
    let answer = move || {
        let answer = answer(workers.clone());
        async move { Ok::<Response, Infallible>(answer.await.into_response()) }
    };
    let end = warp::path::end().and(read()).and_then(answer);
    if word.is_empty() { end.boxed() } else { warp::path(word).and(end).boxed() }
}

/// A page of a table, or a row: what stands behind the table's name is a key, slashes included.
fn table(workers: &Shared) -> Routes {
    let workers = workers.clone();
    let query = warp::query::raw().or(warp::any().map(String::new)).unify();
    let path = warp::path("tables").and(warp::path::param::<String>()).and(warp::path::tail());
    path.and(read())
        .and(query)
        .and_then(move |name: String, key: Tail, query: String| {
            let workers = workers.clone();
            async move {
                let reply = match key.as_str() {
                    "" => tables::page(&workers, &name, &query).await,
                    key => tables::row(&workers, &name, key).await,
                };
                Ok::<Response, Infallible>(said(reply).into_response())
            }
        })
        .boxed()
}

/// Everything else.
fn rest(workers: &Shared) -> Routes {
    let workers = workers.clone();
    let path = warp::path::full().and(warp::method());
    path.map(move |path: warp::path::FullPath, method: warp::http::Method| {
        let reads = [warp::http::Method::GET, warp::http::Method::HEAD].contains(&method);
        let reply = match reads {
            false => not_allowed(method.as_str()),
            true => unknown_path(&workers, path.as_str()),
        };
        reply.into_response()
    })
    .boxed()
}

fn read() -> impl Filter<Extract = (), Error = warp::Rejection> + Copy {
    warp::get().or(warp::head()).unify()
}

/// An answer, or why there is none.
fn said(reply: Result<Reply, NoAnswer>) -> Reply {
    reply.unwrap_or_else(|none| {
        let message = match none {
            NoAnswer::Busy => "the workers are busy: ask again",
            NoAnswer::Gone => "a worker has stopped",
        };
        reply::error(StatusCode::SERVICE_UNAVAILABLE, message, None)
    })
}

fn well(what: &str, is_so: bool) -> Reply {
    let status = if is_so { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    reply::json(status, format!("{{\"{what}\":{is_so}}}").into_bytes())
}

fn index(workers: &Workers) -> Reply {
    let mut body = b"{\"pipeline\":".to_vec();
    quote(&mut body, workers.plan.settings.name.as_bytes());
    body.extend_from_slice(b",\"paths\":[");
    for (at, path) in PATHS.iter().enumerate() {
        body.extend_from_slice(if at == 0 { b"" } else { b"," });
        quote(&mut body, path.as_bytes());
    }
    body.extend_from_slice(b"]}");
    reply::json(StatusCode::OK, body)
}

fn not_allowed(method: &str) -> Reply {
    let message = format!("`{method}` is not possible here");
    let mut reply = reply::error(
        StatusCode::METHOD_NOT_ALLOWED,
        &message,
        Some("all of this is only to be read: use GET"),
    );
    reply.headers_mut().insert(header::ALLOW, header::HeaderValue::from_static("GET, HEAD"));
    reply
}

fn unknown_path(workers: &Workers, path: &str) -> Reply {
    let first = path.split('/').find(|part| !part.is_empty()).unwrap_or_default();
    let words = PATHS.iter().filter_map(|path| path.split('/').nth(1));
    let tables: Vec<_> = workers.plan.tables().map(|(_, node, _)| node.name.as_str()).collect();
    let help = match (did_you_mean(first, words), tables.iter().find(|table| **table == first)) {
        _ if first == "tables" => tables_help(tables),
        (_, Some(table)) => format!("did you mean `/tables/{table}`?"),
        (Some(word), None) => {
            let meant = PATHS.iter().find(|path| path.split('/').nth(1) == Some(word));
            format!("did you mean `{}`?", meant.unwrap_or(&PATHS[0]))
        }
        (None, None) => format!("there are {}", PATHS.join(", ")),
    };
    reply::error(StatusCode::NOT_FOUND, &format!("there is no `{path}`"), Some(&help))
}

/// Says which tables there are.
pub fn tables_help(tables: Vec<&str>) -> String {
    if tables.is_empty() {
        return "this pipeline has no tables".to_owned();
    }
    let paths: Vec<_> = tables.iter().map(|table| format!("/tables/{table}")).collect();
    format!("there are {}", paths.join(", "))
}
