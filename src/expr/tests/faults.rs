//! What unsound expressions are told.

use super::*;

#[test]
fn the_two_of_the_language_page() {
    println!("{}", rendered("temprature >= coldest"));
    println!("{}", rendered("humidity > 80.0"));
}
