//! Every method beside the libraries that have it.

use super::libraries::Kind;

pub(super) const METHODS: Kind = Kind {
    one: "method",
    script: "tests/reference/bench_methods.py",
    networks: &["vgg16", "resnet50", "ncnn"],
    all_methods: true,
};
