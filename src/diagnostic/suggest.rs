//! Did-you-mean: the closest of the names that could stand there.

/// The closest name, if it is within a distance of max(1, a third of the length). Ties go to the first in the
/// order of the names given.
pub fn did_you_mean<'n>(name: &str, names: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let limit = (name.chars().count() / 3).max(1);
    names
        .into_iter()
        .filter(|candidate| *candidate != name && candidate.len().abs_diff(name.len()) <= limit * 4)
        .map(|candidate| (distance(name, candidate), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Edits between two names; a swap of two neighbours is one, and so is a difference of case as a whole.
fn distance(a: &str, b: &str) -> usize {
    if a.eq_ignore_ascii_case(b) {
        return 1;
    }
    strsim::osa_distance(a, b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_third_of_the_length_is_close_enough() {
        let names = ["temperature", "humidity", "sensor_id"];
        assert_eq!(did_you_mean("temprature", names), Some("temperature"));
        assert_eq!(did_you_mean("Humidity", names), Some("humidity"));
        assert_eq!(did_you_mean("sensorid", names), Some("sensor_id"));
        assert_eq!(did_you_mean("location", names), None);
        assert_eq!(did_you_mean("fro", ["from", "for"]), Some("from"));
        assert_eq!(did_you_mean("x", ["y"]), Some("y"));
    }
}
