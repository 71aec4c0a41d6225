//! The interval of a proportion by itself.

/// Wilson's score interval of a share of `count` independent things, in 0..=1: the proportions that
/// a test at this level would not refuse. It is never empty, also where the share is 0 or 1. The
/// count times the share need not be whole. `None` where there is nothing to count.
///
/// With z the normal quantile: `(p + z² / 2n ± z √(p (1 − p) / n + z² / 4n²)) / (1 + z² / n)`.
/// Source: Wilson, "Probable Inference, the Law of Succession, and Statistical Inference", JASA 22,
/// 1927, 209–212.
#[must_use]
pub fn wilson_interval(share: f64, count: usize, level: f64) -> Option<[f64; 2]> {
    if count == 0 || !(0.0..=1.0).contains(&share) {
        return None;
    }
    let (n, z) = (count as f64, normal_quantile((1.0 + level) / 2.0));
    let squared = z * z / n;
    let centre = share + squared / 2.0;
    let reach = z * (share * (1.0 - share) / n + squared / (4.0 * n)).sqrt();
    Some([centre - reach, centre + reach].map(|end| (end / (1.0 + squared)).clamp(0.0, 1.0)))
}

/// The normal distribution's quantile of a probability of at least one half. Source: Wichura,
/// "Algorithm AS 241: The Percentage Points of the Normal Distribution", Applied Statistics 37,
/// 1988, routine PPND16.
fn normal_quantile(probability: f64) -> f64 {
    const MIDDLE: [[f64; 8]; 2] = [
        [
            3.387_132_872_796_366_5,
            133.141_667_891_784_38,
            1_971.590_950_306_551_3,
            13_731.693_765_509_46,
            45_921.953_931_549_87,
            67_265.770_927_008_7,
            33_430.575_583_588_13,
            2_509.080_928_730_122_7,
        ],
        [
            1.0,
            42.313_330_701_600_91,
            687.187_007_492_057_9,
            5_394.196_021_424_751,
            21_213.794_301_586_597,
            39_307.895_800_092_71,
            28_729.085_735_721_943,
            5_226.495_278_852_545,
        ],
    ];
    const OUTER: [[f64; 8]; 2] = [
        [
            1.423_437_110_749_683_5,
            4.630_337_846_156_546,
            5.769_497_221_460_691,
            3.647_848_324_763_204_5,
            1.270_458_252_452_368_4,
            0.241_780_725_177_450_6,
            0.022_723_844_989_269_184,
            7.745_450_142_783_414e-4,
        ],
        [
            1.0,
            2.053_191_626_637_759,
            1.676_384_830_183_803_8,
            0.689_767_334_985_1,
            0.148_103_976_427_480_08,
            0.015_198_666_563_616_457,
            5.475_938_084_995_345e-4,
            1.050_750_071_644_416_9e-9,
        ],
    ];
    const FAR: [[f64; 8]; 2] = [
        [
            6.657_904_643_501_103,
            5.463_784_911_164_114,
            1.784_826_539_917_291_3,
            0.296_560_571_828_504_87,
            0.026_532_189_526_576_124,
            0.001_242_660_947_388_078_4,
            2.711_555_568_743_487_6e-5,
            2.010_334_399_292_288_1e-7,
        ],
        [
            1.0,
            0.599_832_206_555_887_9,
            0.136_929_880_922_735_8,
            0.014_875_361_290_850_615,
            7.868_691_311_456_133e-4,
            1.846_318_317_510_054_8e-5,
            1.421_511_758_316_446e-7,
            2.044_263_103_389_939_7e-15,
        ],
    ];
    let ratio = |[above, below]: &[[f64; 8]; 2], at: f64| {
        let sum = |terms: &[f64; 8]| terms.iter().rev().fold(0.0, |sum, term| sum * at + term);
        sum(above) / sum(below)
    };
    let distance = probability - 0.5;
    if distance <= 0.425 {
        return distance * ratio(&MIDDLE, 0.180_625 - distance * distance);
    }
    // The level is below 1, but half of what is left of it may round to nothing.
    let root = (-(1.0 - probability).max(f64::MIN_POSITIVE).ln()).sqrt();
    if root <= 5.0 { ratio(&OUTER, root - 1.6) } else { ratio(&FAR, root - 5.0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_of_the_normal_distribution() {
        // scipy.stats.norm.ppf of each.
        for (probability, expected) in [
            (0.5, 0.0),
            (0.75, 0.674_489_750_196_081_7),
            (0.9, 1.281_551_565_544_600_4),
            (0.925, 1.439_531_470_938_456_3),
            (0.95, 1.644_853_626_951_472_2),
            (0.975, 1.959_963_984_540_054),
            (0.995, 2.575_829_303_548_900_4),
            (0.999_5, 3.290_526_731_491_925_5),
            (0.999_999_999_999, 7.034_486_910_047_836),
        ] {
            let found = normal_quantile(probability);
            assert!((found - expected).abs() < 1e-12, "{probability}: {found}, {expected}");
        }
    }

    #[test]
    fn shares_of_nothing_and_of_all() {
        assert_eq!(wilson_interval(0.5, 0, 0.95), None);
        assert_eq!(wilson_interval(f64::NAN, 3, 0.95), None);
        let squared = 1.959_963_984_540_054_f64.powi(2);
        for count in [1, 4, 52, 5000] {
            let [low, high] = wilson_interval(1.0, count, 0.95).expect("an interval");
            let n = count as f64;
            assert!((low - n / (n + squared)).abs() < 1e-12 && (high - 1.0).abs() < 1e-12);
            let [other_low, other_high] = wilson_interval(0.0, count, 0.95).expect("an interval");
            assert!(other_low.abs() < 1e-12 && (other_high - (1.0 - low)).abs() < 1e-12);
        }
    }
}
