//! Measures of maps beside the libraries that have them.

use super::libraries::Kind;

pub(super) const MEASURES: Kind = Kind {
    one: "measure",
    script: "tests/reference/bench_measures.py",
    networks: &["resnet50", "ncnn"],
    all_methods: false,
};
