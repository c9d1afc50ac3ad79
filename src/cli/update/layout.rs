//! A list of rows, rewritten in the layout that it has.

use super::literal;
use super::splice::{self, Splice};
use streamrun::diagnostic::Place;
use streamrun::spec::{Entry, Item, Table, Value};
use streamrun::testing::{Corrected, Fields, same, to_json};

/// Longer than this a row of a list that was empty gets a line of its own.
const WIDE: usize = 110;

/// An element with what stands around it: `lead` before it, `gap` before its comma, `trail` behind that, to the end
/// of the line.
#[derive(Clone, Debug, Default)]
struct Element {
    lead: String,
    text: String,
    gap: String,
    trail: String,
}

/// A list in pieces that, put together again, are what was written.
#[derive(Debug)]
struct List {
    elements: Vec<Element>,
    /// Whether there is a comma behind the last one.
    comma: bool,
    /// What stands before the bracket at the end.
    tail: String,
}

/// The list with these rows in it.
pub fn list(source: &str, entry: &Entry, rows: &[Corrected]) -> Result<Splice, String> {
    let place = entry.value.place;
    let values = entry.value.as_array().unwrap_or_default();
    let written = &source[place.range()];
    if !written.starts_with('[') || !written.ends_with(']') || written.starts_with("[[") && !values.is_empty()
    {
        return Err(format!(
            "`{}` is no list in brackets: write it as one, then it can be rewritten",
            entry.key
        ));
    }
    let old = List::of(source, place, values);
    let layout = Layout::of(source, place, &old, rows);
    let text = layout.rewritten(source, values, old, rows).text();
    Ok(Splice { place, text })
}

impl List {
    fn of(source: &str, place: Place, values: &[Value]) -> Self {
        let (mut at, end) = (place.start as usize + 1, place.end as usize - 1);
        let mut list = List { elements: vec![], comma: false, tail: String::new() };
        for value in values {
            let range = value.place.range();
            let (gap, comma) = up_to_comma(&source[range.end..end]);
            let mut element = Element {
                lead: source[at..range.start].to_owned(),
                text: source[range.clone()].to_owned(),
                ..Element::default()
            };
            at = range.end;
            if comma {
                element.gap = gap.to_owned();
                at += gap.len() + 1;
            }
            element.trail = trail(&source[at..end]).to_owned();
            at += element.trail.len();
            list.comma = comma;
            list.elements.push(element);
        }
        list.tail = source[at..end].to_owned();
        list
    }

    fn text(&self) -> String {
        let mut out = String::from("[");
        for (at, element) in self.elements.iter().enumerate() {
            let comma = at + 1 < self.elements.len() || self.comma;
            let comma = if comma { "," } else { "" };
            out.extend([&element.lead, &element.text, &element.gap, comma, &element.trail]);
        }
        out.push_str(&self.tail);
        out.push(']');
        out
    }
}

/// What stands before the comma behind an element, and whether there is one. Comments may hold commas.
fn up_to_comma(rest: &str) -> (&str, bool) {
    let mut comment = false;
    for (at, c) in rest.char_indices() {
        match c {
            '#' => comment = true,
            '\n' => comment = false,
            ',' if !comment => return (&rest[..at], true),
            c if !comment && !c.is_whitespace() => return (&rest[..at], false),
            _ => {}
        }
    }
    (rest, false)
}

/// The rest of a line, if it says something and nothing but a comment.
fn trail(rest: &str) -> &str {
    let line = rest.split('\n').next().unwrap_or_default();
    let line = line.strip_suffix('\r').unwrap_or(line);
    if line.trim_start().starts_with('#') { line } else { "" }
}

/// How a list is laid out.
#[derive(Debug)]
struct Layout {
    /// What stands before the first element, and before the others.
    first: String,
    next: String,
    /// What stands behind the last one where nothing does yet.
    tail: String,
}

impl Layout {
    fn of(source: &str, place: Place, list: &List, rows: &[Corrected]) -> Self {
        let newline = if source.contains("\r\n") { "\r\n" } else { "\n" };
        let (elements, many) = (&list.elements, list.elements.len() > 1);
        let space = |lead: &str| lead.rsplit_once('\n').map(|(_, space)| format!("{newline}{space}"));
        if let Some(first) = elements.first() {
            let own_line = space(&elements[usize::from(many)].lead);
            let next =
                own_line.unwrap_or_else(|| if many { elements[1].lead.clone() } else { " ".to_owned() });
            let first = space(&first.lead).unwrap_or_else(|| first.lead.clone());
            return Layout { first, next, tail: String::new() };
        }
        let texts: usize = rows.iter().map(|row| new(row).chars().count() + 2).sum();
        let line = source[..place.start as usize].rsplit('\n').next().unwrap_or_default();
        let commented = list.tail.contains('#');
        if !commented && (rows.len() <= 1 || line.chars().count() + texts <= WIDE) {
            return Layout { first: " ".to_owned(), next: " ".to_owned(), tail: " ".to_owned() };
        }
        let indent: String = line.chars().take_while(|c| c.is_whitespace()).collect();
        let own_line = format!("{newline}{indent}  ");
        Layout { first: own_line.clone(), next: own_line, tail: format!("{newline}{indent}") }
    }

    fn rewritten(&self, source: &str, values: &[Value], old: List, rows: &[Corrected]) -> List {
        let mut list = List { elements: vec![], ..old };
        let was_empty = old.elements.is_empty();
        let mut orphans = self.orphans(&old.elements, rows, &mut list.tail);
        for row in rows {
            let lead = if list.elements.is_empty() { &self.first } else { &self.next };
            let mut element = match row {
                Corrected::New(_) => Element { lead: lead.clone(), text: new(row), ..Element::default() },
                Corrected::Kept(from) => old.elements[*from].clone(),
                Corrected::Changed(from, fields) => {
                    let text = changed(source, &values[*from], fields);
                    Element { text, ..old.elements[*from].clone() }
                }
            };
            if let Corrected::Kept(from) | Corrected::Changed(from, _) = row {
                // Of elements in one line the first has the lead of the first.
                if !element.lead.contains('\n') && !lead.contains('\n') {
                    element.lead.clone_from(lead);
                }
                element.lead = format!("{}{}", orphans.remove(from).unwrap_or_default(), element.lead);
            }
            list.elements.push(element);
        }
        self.end(&mut list, was_empty);
        list
    }

    /// Comments on lines of their own above rows that are gone, by the row that comes next; the last ones go to the
    /// end of the list.
    fn orphans(
        &self,
        old: &[Element],
        rows: &[Corrected],
        tail: &mut String,
    ) -> std::collections::BTreeMap<usize, String> {
        let stays = |at: usize| {
            rows.iter().any(|row| matches!(row, Corrected::Kept(f) | Corrected::Changed(f, _) if *f == at))
        };
        let (mut orphans, mut waiting) = (std::collections::BTreeMap::new(), String::new());
        for (at, element) in old.iter().enumerate() {
            if stays(at) {
                orphans.insert(at, std::mem::take(&mut waiting));
            } else if element.lead.contains('#') {
                waiting.push_str(element.lead.trim_end());
            }
        }
        tail.insert_str(0, &waiting);
        orphans
    }

    /// What stands before the bracket at the end: nothing if nothing is left, or what belongs there now.
    fn end(&self, list: &mut List, was_empty: bool) {
        if list.elements.is_empty() {
            list.comma = false;
            if !list.tail.contains('#') {
                list.tail.clear();
            }
        } else if was_empty {
            list.comma = self.tail.contains('\n');
            let comments = list.tail.trim_end().to_owned();
            list.tail = format!("{comments}{}", self.tail);
            if comments.contains('#') {
                // What was said in the empty list is said above its first row.
                list.elements[0].lead.insert_str(0, &comments);
                list.tail.clone_from(&self.tail);
            }
        }
        // A comment ends with its line.
        if list.elements.last().is_some_and(|last| last.trail.contains('#')) && !list.tail.contains('\n') {
            list.tail.push_str(if self.next.contains('\n') { &self.next } else { "\n" });
        }
    }
}

/// A row that is not there yet.
fn new(row: &Corrected) -> String {
    match row {
        Corrected::New(fields) | Corrected::Changed(_, fields) => literal::row(fields),
        Corrected::Kept(_) => String::new(),
    }
}

/// A row with other values: spliced where it names the same fields, written anew where it does not.
fn changed(source: &str, value: &Value, fields: &Fields) -> String {
    let spliced = match (&value.item, fields.as_slice()) {
        (Item::Table(table), _) => within(source, table, fields),
        (Item::Text(_), [(name, text)]) if name == "_value" => {
            return literal::literal(text, quote(source, value));
        }
        _ => None,
    };
    let Some(mut splices) = spliced else { return literal::row(fields) };
    let start = value.place.start;
    for splice in &mut splices {
        splice.place = Place { start: splice.place.start - start, end: splice.place.end - start };
    }
    splice::apply(&source[value.place.range()], splices)
}

/// New values for the fields of a table that differ; nothing if other fields are named.
fn within(source: &str, table: &Table, fields: &Fields) -> Option<Vec<Splice>> {
    let names = table.entries.iter().map(|entry| entry.key.as_str());
    if !names.eq(fields.iter().map(|(name, _)| name.as_str())) {
        return None;
    }
    let mut splices = vec![];
    for (entry, (_, value)) in table.entries.iter().zip(fields) {
        if same(value, &to_json(&entry.value.item)) {
            continue;
        }
        let place = entry.value.place;
        // A table whose keys have dots stands nowhere as a whole.
        if matches!(entry.value.item, Item::Table(_)) && !source[place.range()].starts_with('{') {
            return None;
        }
        splices.push(Splice { place, text: literal::literal(value, quote(source, &entry.value)) });
    }
    Some(splices)
}

/// The quotes that the author took.
fn quote(source: &str, value: &Value) -> char {
    source[value.place.range()].chars().next().filter(|c| *c == '\'').unwrap_or('"')
}
