//! Random JSON, sound and broken, from a seed: what the scanner and the splice are compared with `serde_json` on.

/// SplitMix64: small, seeded, and the same everywhere.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, n: usize) -> usize {
        (self.next() % n.max(1) as u64) as usize
    }

    pub fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    pub fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }
}

const NUMBERS: [&str; 40] = [
    "0",
    "-0",
    "1",
    "-1",
    "7",
    "21.0",
    "21.5",
    "-3.25",
    "1e3",
    "1E+2",
    "15e-1",
    "1.50e1",
    "0.1",
    "-0.0",
    "1e-7",
    "9007199254740991",
    "9007199254740993",
    "9223372036854775807",
    "-9223372036854775808",
    "9223372036854775808",
    "18446744073709551615",
    "18446744073709551616",
    "123456789012345678901234567890",
    "1767225610123",
    "1767225610",
    "9223372036854776",
    "1e18",
    "1e19",
    "1e308",
    "-1e308",
    "1.7976931348623157e308",
    "5e-324",
    "1e-400",
    "0e999",
    "0.30000000000000004",
    "3.141592653589793238462643383279",
    "1e999",
    "-1e309",
    "1.8e308",
    "100000000000000000000e-18",
];
const STRINGS: [&str; 22] = [
    "",
    "a",
    "hot",
    "sensor-17",
    "warehouse-a",
    "ünïcödé",
    "\u{1F600}",
    r"tab\there",
    r"\u0061\u00e9",
    r"\ud83d\ude00",
    r#"q\"uote"#,
    r"back\\slash",
    "exactly8",
    "nine bytes",
    "2026-01-01T00:00:10Z",
    "2026-01-01T00:00:10.5Z",
    "2026-01-01 01:00:10.123456+01:00",
    r"2026-01-01T00:00:11\u005a",
    "2026-02-30T00:00:00Z",
    "yesterday",
    "a longer text that takes more than a few words of eight bytes",
    "\u{7f}",
];
/// What no sound document has where these are put.
const JUNK: [&[u8]; 28] = [
    b",",
    b":",
    b"{",
    b"}",
    b"[",
    b"]",
    b"\"",
    b"\\",
    b"null",
    b"tru",
    b"1e999",
    b"-",
    b"01",
    b"+1",
    b".5",
    b"1.",
    b"\xff",
    b"\xc3",
    b"\xed\xa0\x80",
    b"\0",
    b"\t",
    b"\\ud800",
    b"\\udc00",
    b"\\u12",
    b"\\x",
    b"\xef\xbb\xbf",
    b"NaN",
    b"//",
];

/// Writes random values; `names` are the members' names as they stand between quotes, escapes and all.
pub struct Documents<'n> {
    pub random: Random,
    pub names: &'n [&'n str],
}

impl Documents<'_> {
    pub fn object(&mut self, out: &mut String, depth: usize) {
        self.blank(out);
        out.push('{');
        for i in 0..self.random.below(if depth == 0 { 10 } else { 4 }) {
            if i > 0 {
                out.push(',');
            }
            self.blank(out);
            out.push('"');
            let name = self.random.pick(self.names);
            out.push_str(name);
            out.push('"');
            self.blank(out);
            out.push(':');
            self.blank(out);
            self.value(out, name, depth + 1);
            self.blank(out);
        }
        self.blank(out);
        out.push('}');
    }

    /// Mostly the kind of value that a field of this name has: its first letter says which.
    fn value(&mut self, out: &mut String, name: &str, depth: usize) {
        let usual = match name.as_bytes().first() {
            Some(b's') => 0,
            Some(b'i' | b'f') => 1,
            Some(b'b') => 2,
            Some(b't') => 3,
            Some(b'm') => 4,
            Some(b'o') => 5,
            Some(b'l') => 6,
            _ => self.random.below(7),
        };
        match if self.random.one_in(9) { self.random.below(8) } else { usual } {
            0 => self.string(out),
            1 => {
                // Half of them plain, and only few that no float can hold.
                let numbers = self.random.pick(&[16, 16, 16, 36, 36, NUMBERS.len()]);
                out.push_str(self.random.pick(&NUMBERS[..numbers]));
            }
            2 => out.push_str(self.random.pick(&["true", "false"])),
            3 => out.push_str(&format!("\"2026-01-01T00:{:02}:10.250Z\"", self.random.below(60))),
            4 => out.push_str(&format!("{}", self.random.below(1 << 40))),
            5 if depth < 5 => self.object(out, depth),
            6 if depth < 5 => self.list(out, depth),
            _ => out.push_str("null"),
        }
    }

    fn string(&mut self, out: &mut String) {
        out.push('"');
        out.push_str(self.random.pick(&STRINGS));
        out.push('"');
    }

    fn list(&mut self, out: &mut String, depth: usize) {
        let name = self.random.pick(&["s", "i", "f", "b", "x"]);
        out.push('[');
        for i in 0..self.random.below(4) {
            if i > 0 {
                out.push(',');
            }
            self.blank(out);
            self.value(out, name, depth + 1);
            self.blank(out);
        }
        out.push(']');
    }

    fn blank(&mut self, out: &mut String) {
        if self.random.one_in(12) {
            out.push_str(self.random.pick(&[" ", "\n", "\t", "\r\n", "   "]));
        }
    }

    /// Breaks a document, or does not: cut off, a bit flipped, a byte gone, junk put in, a part of it twice.
    pub fn mutate(&mut self, document: &mut Vec<u8>) {
        let at = self.random.below(document.len());
        match self.random.below(5) {
            0 => document.truncate(at),
            1 => document[at] ^= 1 << self.random.below(8),
            2 => drop(document.remove(at)),
            3 => {
                let junk = self.random.pick(&JUNK);
                document.splice(at..at, junk.iter().copied());
            }
            _ => {
                let end = at + self.random.below((document.len() - at).min(20));
                let part = document[at..end].to_vec();
                document.splice(at..at, part);
            }
        }
    }
}
