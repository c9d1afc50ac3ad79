//! What a pipeline shows of itself over HTTP, asked as a stranger would: a socket and nothing else.

pub mod exposition;
pub mod shop;

use shop::{Shop, order};
use streamrun::http::{self, Options};
use streamrun::transport::sim::{Fault, Faults, When};

#[test]
fn tables_are_shown_as_they_were_committed() {
    let mut shop = Shop::open(1, 1);
    assert_eq!(shop.get("/status/").body, "{\"per_user\":{},\"per_place\":{},\"per_minute\":[]}\n");
    shop.send(&[
        order("u-1", "oslo", 3, 1_000),
        order("u-2", "rome", 4, 2_000),
        order("u-1", "rome", 5, 3_000),
    ]);
    shop.turn();
    // The work is done, and not yet permanent.
    assert_eq!(shop.get("/status/").body, "{\"per_user\":{},\"per_place\":{},\"per_minute\":[]}\n");
    assert_eq!(shop.get("/tables/per_user/u-1").status, 404);
    shop.commit();
    let committed = "{\"per_user\":{\"u-1\":2,\"u-2\":1},\
         \"per_place\":{\"[\\\"u-1\\\",\\\"oslo\\\"]\":1,\"[\\\"u-1\\\",\\\"rome\\\"]\":1,\"[\\\"u-2\\\",\\\"rome\\\"]\":1},\
         \"per_minute\":[\
         {\"user\":\"u-1\",\"window_start\":\"1970-01-01T00:00:00Z\",\"window_end\":\"1970-01-01T00:01:00Z\",\"orders\":2,\"sum\":8},\
         {\"user\":\"u-2\",\"window_start\":\"1970-01-01T00:00:00Z\",\"window_end\":\"1970-01-01T00:01:00Z\",\"orders\":1,\"sum\":4}]}\n";
    assert_eq!(shop.get("/status/").body, committed);
    assert_eq!(shop.get("/status").body, committed);
    // The next minute closes the first, and counts go on: none of that is seen before it is committed.
    shop.send(&[order("u-1", "oslo", 3, 61_000)]);
    shop.turn();
    assert_eq!(shop.get("/status/").body, committed);
    assert_eq!(shop.get("/tables/per_minute/u-2").json().as_array().map(Vec::len), Some(1));
    shop.commit();
    assert_eq!(shop.get("/status/").json()["per_user"]["u-1"], 3);
    assert_eq!(shop.get("/tables/per_minute/u-2").status, 404);
    let answer = shop.get("/status/");
    assert_eq!(answer.header("streamrun-partitions"), Some("0"));
    assert_eq!(answer.header("content-type"), Some("application/json"));
}

#[test]
fn a_row_is_found_by_its_key_as_it_is_written() {
    let mut shop = Shop::open(1, 1);
    shop.send(&[
        order("a/b ü", "x\"y", 1, 0),
        order("plain", "oslo", 2, 90_000),
        order("plain", "oslo", 2, 170_000),
    ]);
    shop.settle();
    assert_eq!(shop.get("/tables/per_user/a%2Fb%20%C3%BC").body, "{\"user\":\"a/b ü\",\"count\":1}\n");
    assert_eq!(shop.get("/tables/per_user/a/b%20%C3%BC").status, 200);
    let pair = "/tables/per_place/%5B%22a/b%20%C3%BC%22,%20%22x%5C%22y%22%5D";
    assert_eq!(shop.get(pair).body, "{\"user\":\"a/b ü\",\"place\":\"x\\\"y\",\"count\":1}\n");
    let windows = shop.get("/tables/per_minute/plain").json();
    assert_eq!(windows[0]["window_start"], "1970-01-01T00:02:00Z");
    let missing = shop.get("/tables/per_user/nobody");
    assert_eq!((missing.status, missing.header("streamrun-partitions")), (404, Some("0")));
    assert_eq!(
        missing.body,
        "{\"error\":\"`per_user` has no row of `nobody` here\",\"help\":\"this process has the partitions 0\"}\n"
    );
    let broken = shop.get("/tables/per_place/plain");
    assert_eq!(broken.status, 400);
    assert_eq!(broken.json()["help"], "a JSON array [user string, place string]");
    assert_eq!(shop.get("/tables/per_user/%ff").status, 400);
}

#[test]
fn a_table_is_read_page_by_page_over_all_workers() {
    let mut shop = Shop::open(2, 4);
    let orders: Vec<_> = (0..2500).map(|n| order(&format!("user {n:04}&+%"), "oslo", n, 1_000 + n)).collect();
    shop.send(&orders);
    shop.settle();
    let (mut users, mut path, mut pages) = (vec![], "/tables/per_user?limit=400".to_owned(), 0);
    loop {
        let page = shop.get(&path).json();
        assert_eq!(page["partitions"], serde_json::json!([0, 1, 2, 3]));
        let rows = page["rows"].as_array().expect("rows").clone();
        users.extend(rows.iter().map(|row| row["user"].as_str().expect("a user").to_owned()));
        pages += 1;
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/tables/per_user?limit=400&after={}", shop::encode(next));
    }
    let all: Vec<_> = (0..2500).map(|n| format!("user {n:04}&+%")).collect();
    assert_eq!((pages, users), (7, all));
    // Windows go on behind their end and key, pairs behind their array.
    for table in ["per_minute", "per_place"] {
        let first = shop.get(&format!("/tables/{table}?limit=1000")).json();
        let next = shop::encode(first["next"].as_str().expect("more"));
        let second = shop.get(&format!("/tables/{table}?limit=1&after={next}")).json();
        assert_eq!(second["rows"][0]["user"], "user 1000&+%", "{table}");
    }
    let status = shop.get("/status/").json();
    assert_eq!(status["truncated"], true);
    assert_eq!(status["per_user"].as_object().map(|rows| rows.len()), Some(1000));
    assert_eq!(status["per_minute"].as_array().map(Vec::len), Some(1000));
}

#[test]
fn what_is_asked_wrongly_is_told_what_there_is() {
    let mut shop = Shop::open(1, 1);
    let help = |answer: shop::Answer, status: u16| {
        assert_eq!(answer.status, status, "{}", answer.body);
        answer.json()["help"].as_str().unwrap_or_default().to_owned()
    };
    assert_eq!(help(shop.get("/tables/per_usr"), 404), "did you mean `/tables/per_user`?");
    assert_eq!(
        help(shop.get("/tables/zzz"), 404),
        "there are /tables/per_user, /tables/per_place, /tables/per_minute"
    );
    assert_eq!(help(shop.get("/tables"), 404), help(shop.get("/tables/zzz/k"), 404));
    assert_eq!(help(shop.get("/statu"), 404), "did you mean `/status/`?");
    assert_eq!(help(shop.get("/per_user"), 404), "did you mean `/tables/per_user`?");
    assert_eq!(
        help(shop.get("/status/more"), 404),
        "there are /status/, /tables/NAME, /tables/NAME/KEY, /pipeline, /metrics, /live, /ready"
    );
    for (query, error) in [
        ("limit=0", "`limit` is a number from 1 to 1000"),
        ("limit=1001", "`limit` is a number from 1 to 1000"),
        ("limt=5", "there is no `limt`, did you mean `limit`?"),
        ("after=%zz", "the query is not well encoded"),
    ] {
        let answer = shop.get(&format!("/tables/per_user?{query}"));
        assert_eq!((answer.status, answer.json()["error"].as_str()), (400, Some(error)));
    }
    assert_eq!(shop.get("/tables/per_minute?after=u-1").status, 400);
    assert_eq!(shop.get("/tables/per_minute?limit=&after=").status, 200);
    for method in ["POST", "PUT", "DELETE", "OPTIONS"] {
        for path in ["/status/", "/tables/per_user", "/nowhere"] {
            let answer = shop.ask(method, path);
            assert_eq!((answer.status, answer.header("allow")), (405, Some("GET, HEAD")), "{method} {path}");
        }
    }
    let (get, head) = (shop.get("/status/"), shop.ask("HEAD", "/status/"));
    assert_eq!((head.status, head.body.as_str()), (200, ""));
    assert_eq!(head.header("content-length"), get.header("content-length"));
    assert_eq!(shop.get("/").json()["pipeline"], "shop");
}

#[test]
fn the_plan_is_shown_with_live_counters() {
    let mut shop = Shop::open(1, 1);
    shop.send(&[order("u-1", "oslo", 3, 60_000), order("u-2", "oslo", -1, 61_000), "junk".to_owned()]);
    shop.settle();
    shop.send(&[order("u-1", "oslo", 3, 130_000), order("late", "oslo", 3, 60_000)]);
    shop.settle();
    let plan = shop.get("/pipeline").json();
    assert_eq!(
        (&plan["name"], &plan["ready"], &plan["guarantee"]),
        (&"shop".into(), &true.into(), &"exactly-once".into())
    );
    let source = &plan["sources"][0];
    let records = serde_json::json!({ "in": 5, "used": 3, "dead": 2, "late": 0, "filtered": 0 });
    assert_eq!((&source["name"], &source["records"]), (&"orders".into(), &records));
    let partition = &source["partitions"][0];
    assert_eq!((&partition["position"], &partition["lag"]), (&5.into(), &0.into()));
    assert_eq!(partition["clock"], "1970-01-01T00:02:10Z");
    let node = |name: &str| {
        let nodes = plan["nodes"].as_array().expect("nodes");
        nodes.iter().find(|node| node["name"] == name).expect("a node").clone()
    };
    assert_eq!(node("fit")["records"]["rejected"], 1);
    assert_eq!(node("per_minute")["records"]["late"], 1);
    assert_eq!(node("per_minute")["records"]["emitted"], 1);
    assert_eq!(node("per_user")["rows"]["count"], 2);
    assert_eq!(node("out")["topic"], "minutes");
}

#[test]
fn a_worker_is_live_while_it_turns_and_ready_once_its_tasks_run() {
    let mut shop = Shop::closed(1, 1);
    assert_eq!(shop.get("/ready").status, 503);
    shop.settle();
    assert_eq!((shop.get("/ready").status, shop.get("/ready").body.as_str()), (200, "{\"ready\":true}\n"));
    assert_eq!((shop.get("/live").status, shop.get("/live").body.as_str()), (200, "{\"live\":true}\n"));
    shop.clock.advance(31_000);
    // These need no answer of the worker, which stands still.
    assert_eq!(shop.shout("GET", "/live").status, 503);
    assert_eq!(shop.shout("GET", "/ready").status, 503);
    assert_eq!(shop.get("/ready").status, 200);
    shop.workers.clear();
    assert_eq!(shop.shout("GET", "/ready").status, 503);
    assert_eq!(shop.shout("GET", "/live").status, 503);
    assert_eq!(shop.shout("GET", "/status/").status, 503);
}

#[test]
fn metrics_are_as_prometheus_wants_them() {
    let mut shop = Shop::open(2, 2);
    let orders: Vec<_> = (0..20).map(|n| order(&format!("u{n}"), "oslo", n - 2, 60_000)).collect();
    shop.send(&orders);
    shop.send(&["junk".to_owned(), "{\"user\":\"x\"}".to_owned()]);
    shop.settle();
    let answer = shop.get("/metrics");
    assert_eq!(answer.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    let read = exposition::parse(&answer.body);
    let is =
        |series: &str, value: f64| assert_eq!(read.get(series), Some(&value), "{series}\n{}", answer.body);
    is("streamrun_info{pipeline=\"shop\",version=\"0.1.0\"}", 1.0);
    is("streamrun_source_records_total{source=\"orders\",outcome=\"used\"}", 18.0);
    is("streamrun_source_records_total{source=\"orders\",outcome=\"dead\"}", 4.0);
    is("streamrun_records_total{node=\"fit\",kind=\"branch\",outcome=\"rejected\"}", 2.0);
    is("streamrun_records_total{node=\"per_user\",kind=\"count\",outcome=\"passed\"}", 18.0);
    is("streamrun_dead_letters_total{source=\"orders\",reason=\"not-json\"}", 1.0);
    is("streamrun_dead_letters_total{source=\"orders\",reason=\"missing\"}", 1.0);
    is("streamrun_dead_letters_total{source=\"\",reason=\"a \\\"negative\\\" amount\"}", 2.0);
    is("streamrun_table_rows{table=\"per_user\"}", 18.0);
    is("streamrun_worker_live{worker=\"1\"}", 1.0);
    is("streamrun_tasks{state=\"running\"}", 2.0);
    is("streamrun_input_lag_records{source=\"orders\",topic=\"orders\",partition=\"1\"}", 0.0);
    is("streamrun_clock_delay_seconds{source=\"orders\",partition=\"0\"}", -60.0);
    is("streamrun_transport_errors_total{class=\"fenced\"}", 0.0);
    assert!(read["streamrun_commit_duration_seconds_count"] >= 2.0);
    assert!(read["streamrun_table_bytes{table=\"per_user\"}"] > 0.0);
}

#[test]
fn tables_are_not_shown_while_they_are_restored() {
    let mut shop = Shop::open(1, 1);
    shop.send(&(0..1500).map(|n| order(&format!("u{n}"), "oslo", 1, 60_000)).collect::<Vec<_>>());
    shop.settle();
    shop.crash();
    let mut seen = vec![];
    while shop.get("/ready").status != 200 {
        shop.workers[0].turn().expect("a turn");
        let metrics = exposition::parse(&shop.get("/metrics").body);
        seen.extend(
            metrics.get("streamrun_restore_progress_ratio{source=\"orders\",partition=\"0\"}").copied(),
        );
        if metrics["streamrun_tasks{state=\"running\"}"] == 0.0 {
            assert_eq!(shop.get("/status/").json()["per_user"], serde_json::json!({}));
            assert_eq!(shop.get("/tables/per_user/u1").json()["help"], NO_PARTITIONS);
        }
    }
    assert!(seen.len() > 3 && seen.is_sorted() && seen.first() < seen.last(), "{seen:?}");
    assert_eq!(shop.get("/tables/per_user/u1").body, "{\"user\":\"u1\",\"count\":1}\n");
}

const NO_PARTITIONS: &str = "this process has none of the table's partitions at the moment";

#[test]
fn what_is_taken_back_is_neither_shown_nor_counted() {
    let mut rollbacks = 0.0;
    for call in 0..10 {
        let mut shop = Shop::open(1, 1);
        let fault = Fault { call, when: When::Before, for_good: false };
        shop.workers[0].transport.faults = Faults::new(vec![fault]);
        shop.send(&[order("u-1", "oslo", 1, 60_000), order("u-1", "oslo", -1, 60_000), "junk".to_owned()]);
        shop.settle();
        assert_eq!(shop.get("/status/").json()["per_user"]["u-1"], 1, "a fault at call {call}");
        let metrics = exposition::parse(&shop.get("/metrics").body);
        let is = |series: &str| assert_eq!(metrics[series], 1.0, "{series} with a fault at call {call}");
        is("streamrun_source_records_total{source=\"orders\",outcome=\"used\"}");
        is("streamrun_records_total{node=\"fit\",kind=\"branch\",outcome=\"rejected\"}");
        is("streamrun_dead_letters_total{source=\"orders\",reason=\"not-json\"}");
        rollbacks += metrics["streamrun_rollbacks_total"];
    }
    assert!(rollbacks > 0.0, "no fault made anything be taken back");
}

#[test]
fn counters_only_go_up_when_tasks_move_away() {
    let mut shop = Shop::open(1, 2);
    shop.send(&(0..10).map(|n| order(&format!("u{n}"), "oslo", 1, 60_000)).collect::<Vec<_>>());
    shop.settle();
    let used = |shop: &mut Shop| shop.get("/pipeline").json()["sources"][0]["records"]["used"].clone();
    assert_eq!(used(&mut shop), 10);
    // A second worker takes one of the partitions over; what was counted was counted.
    let _other = shop.join_silently();
    assert_eq!(used(&mut shop), 10);
    assert_eq!(shop.get("/status/").header("streamrun-partitions").map(str::len), Some(1));
}

#[test]
fn a_port_in_use_is_said_clearly_or_the_next_one_is_taken() {
    let shop = Shop::open(1, 1);
    let taken = shop.server.addr.to_string();
    let error = http::serve(&Options::at(&taken), vec![], shop.plan.clone()).expect_err("in use");
    assert!(error.is_in_use());
    assert_eq!(
        error.to_string(),
        format!(
            "the status address {taken} is in use, perhaps by another pipeline\n\
             help: `--status HOST:PORT` takes another one, `--status off` does without"
        )
    );
    let options = Options { next_free: true, ..Options::at(&taken) };
    let next = http::serve(&options, vec![], shop.plan.clone()).expect("the next one is free");
    assert!(next.addr.port() > shop.server.addr.port());
    let again = next.addr.to_string();
    next.shutdown();
    http::serve(&Options::at(&again), vec![], shop.plan.clone()).expect("free again at once");
    let error = http::serve(&Options::at("nonsense"), vec![], shop.plan.clone()).expect_err("no address");
    assert!(error.to_string().starts_with("the status address `nonsense` is none\nhelp: "), "{error}");
}
