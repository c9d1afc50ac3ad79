#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| streamrun_fuzz::scanner(data));
