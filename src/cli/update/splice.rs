//! Texts put in the place of others, all at once.

use streamrun::diagnostic::Place;

/// A text for a place.
#[derive(Debug)]
pub struct Splice {
    /// Where.
    pub place: Place,
    /// What is to stand there.
    pub text: String,
}

/// The source with all splices made. They do not overlap.
pub fn apply(source: &str, mut splices: Vec<Splice>) -> String {
    splices.sort_by_key(|splice| splice.place.start);
    let (mut out, mut at) = (String::with_capacity(source.len()), 0);
    for splice in &splices {
        let place = splice.place.range();
        out.push_str(&source[at..place.start]);
        out.push_str(&splice.text);
        at = place.end;
    }
    out.push_str(&source[at..]);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_else_stays() {
        let splice = |range, text: &str| Splice { place: Place::new(range), text: text.to_owned() };
        assert_eq!(apply("a = 1, b = 2", vec![splice(11..12, "20"), splice(4..5, "")]), "a = , b = 20");
        assert_eq!(apply("same", vec![]), "same");
    }
}
