//! `/status/`, `/tables/NAME` and `/tables/NAME/KEY`.

use super::ask::{NoAnswer, Workers};
use super::percent;
use super::reply::{self, Reply};
use super::routes::tables_help;
use crate::codec::json::quote;
use crate::diagnostic::did_you_mean;
use crate::operator::NodeId;
use crate::plan::{NodePlan, TablePlan};
use crate::runtime::pages::{Page, Shown};
use crate::store::{key, written};
use crate::time::parse_timestamp;
use crate::types::Kind;
use hyper::StatusCode;
use serde_json::Value as Json;

/// The most rows of one answer, or of one table in it.
const MOST: usize = 1000;
/// How many rows a page has when nobody says.
const USUAL: usize = 100;

/// The first rows of all tables.
pub async fn status(workers: &Workers) -> Result<Reply, NoAnswer> {
    let pages = workers.tables(MOST).await?;
    let (mut body, mut truncated, mut partitions) = (b"{".to_vec(), false, vec![]);
    for ((_, node, table), page) in workers.plan.tables().zip(&pages) {
        if body.len() > 1 {
            body.push(b',');
        }
        quote(&mut body, node.name.as_bytes());
        body.push(b':');
        match table.windowed {
            true => list(&mut body, &page.rows),
            false => map(&mut body, &page.rows),
        }
        truncated |= page.more;
        partitions.extend(&page.partitions);
    }
    if truncated {
        body.extend_from_slice(b",\"truncated\":true");
    }
    body.push(b'}');
    partitions.sort_unstable();
    partitions.dedup();
    Ok(reply::of_partitions(reply::json(StatusCode::OK, body), &partitions))
}

/// A page of a table.
pub async fn page(workers: &Workers, name: &str, query: &str) -> Result<Reply, NoAnswer> {
    let (id, node, table) = match find(workers, name) {
        Ok(found) => found,
        Err(refusal) => return Ok(*refusal),
    };
    let (limit, after) = match parameters(query, table) {
        Ok(parameters) => parameters,
        Err(message) => return Ok(reply::error(StatusCode::BAD_REQUEST, &message, None)),
    };
    let page = workers.page(id, after, limit).await?;
    let mut body = b"{\"table\":".to_vec();
    quote(&mut body, node.name.as_bytes());
    body.extend_from_slice(b",\"partitions\":[");
    let partitions: Vec<_> = page.partitions.iter().map(u32::to_string).collect();
    body.extend_from_slice(partitions.join(",").as_bytes());
    body.extend_from_slice(b"],\"rows\":");
    list(&mut body, &page.rows);
    if let Some(last) = page.rows.last().filter(|_| page.more) {
        body.extend_from_slice(b",\"next\":");
        quote(&mut body, &cursor(table, last));
    }
    body.push(b'}');
    Ok(reply::of_partitions(reply::json(StatusCode::OK, body), &page.partitions))
}

/// The row of a key; those of its windows, if the table has windows.
pub async fn row(workers: &Workers, name: &str, key: &str) -> Result<Reply, NoAnswer> {
    let (id, _, table) = match find(workers, name) {
        Ok(found) => found,
        Err(refusal) => return Ok(*refusal),
    };
    let Some(encoded) = percent::decode(key).and_then(|text| written::parse(&kinds(table), &text)) else {
        let message = format!("`{key}` is no key of `{name}`");
        return Ok(reply::error(StatusCode::BAD_REQUEST, &message, Some(&key_help(table))));
    };
    let page = workers.row(id, encoded, MOST).await?;
    let reply = match page.rows.first() {
        None => absent(name, key, &page),
        Some(_) if table.windowed => {
            let mut body = vec![];
            list(&mut body, &page.rows);
            reply::json(StatusCode::OK, body)
        }
        Some(row) => reply::json(StatusCode::OK, row.json.clone()),
    };
    Ok(reply::of_partitions(reply, &page.partitions))
}

fn absent(name: &str, key: &str, page: &Page) -> Reply {
    let partitions: Vec<_> = page.partitions.iter().map(u32::to_string).collect();
    let help = match partitions.is_empty() {
        true => "this process has none of the table's partitions at the moment".to_owned(),
        false => format!("this process has the partitions {}", partitions.join(", ")),
    };
    reply::error(StatusCode::NOT_FOUND, &format!("`{name}` has no row of `{key}` here"), Some(&help))
}

type Found<'p> = (NodeId, &'p NodePlan, &'p TablePlan);

fn find<'p>(workers: &'p Workers, name: &str) -> Result<Found<'p>, Box<Reply>> {
    let tables = || workers.plan.tables();
    tables().find(|(_, node, _)| node.name == name).ok_or_else(|| {
        let names: Vec<_> = tables().map(|(_, node, _)| node.name.as_str()).collect();
        let help = match did_you_mean(name, names.iter().copied()) {
            Some(meant) => format!("did you mean `/tables/{meant}`?"),
            None => tables_help(names),
        };
        let message = format!("there is no table `{name}`");
        Box::new(reply::error(StatusCode::NOT_FOUND, &message, Some(&help)))
    })
}

/// How many rows are wanted, and what they come behind.
fn parameters(query: &str, table: &TablePlan) -> Result<(usize, Option<Vec<u8>>), String> {
    let (mut limit, mut after) = (USUAL, None);
    for (name, value) in percent::query(query).ok_or("the query is not well encoded")? {
        match name.as_str() {
            "limit" if value.is_empty() => {}
            "limit" => {
                let number = value.parse().ok().filter(|number| (1..=MOST).contains(number));
                limit = number.ok_or_else(|| format!("`limit` is a number from 1 to {MOST}"))?;
            }
            "after" => {
                after = order_of(table, &value);
                // A text may be empty and a key all the same.
                if after.is_none() && !value.is_empty() {
                    return Err(format!("`after` is what a page says as `next`, or {}", key_help(table)));
                }
            }
            name => {
                let meant = did_you_mean(name, ["limit", "after"]).map(|n| format!(", did you mean `{n}`?"));
                return Err(format!("there is no `{name}`{}", meant.unwrap_or_default()));
            }
        }
    }
    Ok((limit, after))
}

fn kinds(table: &TablePlan) -> Vec<Kind> {
    table.key.iter().map(|(_, kind)| *kind).collect()
}

/// What a key is written like.
fn key_help(table: &TablePlan) -> String {
    match &table.key[..] {
        [(name, kind)] => format!("the {kind} `{name}`"),
        several => {
            let parts: Vec<_> = several.iter().map(|(name, kind)| format!("{name} {kind}")).collect();
            format!("a JSON array [{}]", parts.join(", "))
        }
    }
}

/// What the page behind a row is asked for by: its key; of windows, an array of the window's end and the key.
fn cursor(table: &TablePlan, row: &Shown) -> Vec<u8> {
    let split = row.order.split_first_chunk().filter(|_| table.windowed);
    let Some((end, encoded)) = split else { return row.key.clone().into_bytes() };
    let mut kinds = kinds(table);
    let mut parts = vec![key::KeyPart::Int(key::unordered_int(*end))];
    parts.extend(key::decode(&kinds, encoded));
    kinds.insert(0, Kind::Timestamp);
    let (mut whole, mut text) = (vec![], vec![]);
    key::encode_parts(&parts, &mut whole);
    key::write_text(&kinds, &whole, &mut text);
    text
}

/// The order of the row that a cursor was made of.
fn order_of(table: &TablePlan, cursor: &str) -> Option<Vec<u8>> {
    if !table.windowed {
        return written::parse(&kinds(table), cursor);
    }
    let parts: Vec<Json> = serde_json::from_str(cursor).ok()?;
    let (end, parts) = parts.split_first()?;
    let end = end.as_i64().or_else(|| parse_timestamp(end.as_str()?.as_bytes()))?;
    let key = written::from_json(&kinds(table), parts)?;
    Some([&key::ordered_int(end)[..], &key].concat())
}

fn list(body: &mut Vec<u8>, rows: &[Shown]) {
    body.push(b'[');
    for (at, row) in rows.iter().enumerate() {
        body.extend_from_slice(if at == 0 { b"" } else { b"," });
        body.extend_from_slice(&row.json);
    }
    body.push(b']');
}

fn map(body: &mut Vec<u8>, rows: &[Shown]) {
    body.push(b'{');
    for (at, row) in rows.iter().enumerate() {
        body.extend_from_slice(if at == 0 { b"" } else { b"," });
        quote(body, row.key.as_bytes());
        body.push(b':');
        body.extend_from_slice(&row.json);
    }
    body.push(b'}');
}
