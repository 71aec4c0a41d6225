"""Writes what scikit-learn, SciPy and statsmodels make of small sets of predictions: statistics.json.

    python tests/reference/report_statistics.py tests/goldens/statistics.json

Needs scikit-learn, SciPy and statsmodels (requirements-statistics.txt). The published counts of each fold come
from tests/goldens/published_folds.csv.
"""

import json
import sys
import warnings

import numpy as np
from scipy import stats
from sklearn import metrics
from statsmodels.stats.proportion import proportion_confint

warnings.simplefilter("ignore")
BINS = 10
RESAMPLES = 200
SEED = 7
MASK = (1 << 64) - 1


def calibration_error(right, confidence):
    """Guo et al. 2017: bins open below and closed above."""
    edges = np.linspace(0, 1, BINS + 1)[1:-1]
    bins = np.digitize(confidence, edges, right=True)
    gaps = [abs(right[bins == b].mean() - confidence[bins == b].mean()) * (bins == b).mean()
            for b in np.unique(bins)]
    return float(sum(gaps))


def scores(truth, probabilities, positive):
    """The measures in the order of MEASURES; None where one is not defined."""
    predicted = probabilities.argmax(axis=1)
    yes, taken = truth == positive, predicted == positive
    score = probabilities[:, positive]
    defined = lambda value, when: float(value()) if when else None
    both = yes.any() and not yes.all()
    return [
        float(metrics.accuracy_score(truth, predicted)),
        float(metrics.balanced_accuracy_score(truth, predicted)),
        defined(lambda: metrics.recall_score(yes, taken, zero_division=0), yes.any()),
        defined(lambda: metrics.recall_score(~yes, ~taken, zero_division=0), not yes.all()),
        defined(lambda: metrics.roc_auc_score(yes, score), both),
        defined(lambda: metrics.f1_score(yes, taken, zero_division=0), (yes | taken).any()),
        float(np.mean((score - yes) ** 2)) if not both else float(metrics.brier_score_loss(yes, score)),
        calibration_error(predicted == truth, probabilities.max(axis=1)),
    ]


def splitmix64(state):
    """Steele, Lea, Flood 2014."""
    while True:
        state = (state + 0x9E3779B97F4A7C15) & MASK
        z = state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        yield z ^ (z >> 31)


def intervals(truth, probabilities, positive, units):
    """Percentile intervals over whole units; none of one unit."""
    if len(set(units)) < 2:
        return [None] * 8
    known, numbers = sorted(set(units)), splitmix64(SEED)
    members = {unit: [i for i, u in enumerate(units) if u == unit] for unit in known}
    found = []
    for _ in range(RESAMPLES):
        drawn = [known[next(numbers) * len(known) >> 64] for _ in known]
        rows = [i for unit in drawn for i in members[unit]]
        found.append(scores(truth[rows], probabilities[rows], positive))
    result = []
    for column in zip(*found):
        values = [value for value in column if value is not None]
        enough = len(values) * 2 >= RESAMPLES
        result.append([float(q) for q in np.quantile(values, [0.025, 0.975])] if enough else None)
    return result


def wilson(successes, count, level=0.95):
    low, high = proportion_confint(successes, count, alpha=1 - level, method="wilson")
    return [float(low), float(high)]


FEW = 10


def reported(truth, probabilities, positive, subjects):
    """The intervals that a report gives: [low, high, method, number of units] of each measure."""
    values = scores(truth, probabilities, positive)
    units = subjects if subjects else list(range(len(truth)))
    draws = intervals(truth, probabilities, positive, units)
    everyone = np.ones(len(truth), bool)
    counted = {0: everyone, 2: truth == positive, 3: truth != positive}
    result = []
    for at, (value, drawn) in enumerate(zip(values, draws)):
        of = {unit for unit, counts in zip(units, counted[at]) if counts} if at in counted else set()
        varies = drawn and drawn[1] - drawn[0] > 1e-9
        by_draws = at not in counted or (subjects and len(of) >= FEW and varies)
        if value is None or (by_draws and drawn is None):
            result.append(None)
        elif by_draws:
            result.append([*drawn, "bootstrap", len(set(units))])
        else:
            # The successes are shares of subjects, so they need not be whole.
            result.append([*wilson(value * len(of), len(of)), "wilson", len(of)])
    return result


def case(name, truth, probabilities, positive, units=None):
    truth = np.array(truth)
    probabilities = np.array(probabilities, np.float32)
    wide = probabilities.astype(np.float64)
    yes = truth == positive
    roc = []
    if yes.any() and not yes.all():
        fpr, tpr, _ = metrics.roc_curve(yes, wide[:, positive])
        roc = [[float(a), float(b)] for a, b in zip(fpr, tpr)]
    return {
        "name": name,
        "truth": truth.tolist(),
        "probabilities": probabilities.astype(float).tolist(),
        "positive": positive,
        "units": units,
        "scores": scores(truth, wide, positive),
        "roc": roc,
        "confusion": metrics.confusion_matrix(truth, wide.argmax(axis=1),
                                              labels=range(wide.shape[1])).tolist(),
        "intervals": units and intervals(truth, wide, positive, units),
        "reported": reported(truth, wide, positive, units),
        "reported_of_images": reported(truth, wide, positive, None),
    }


def two(scores):
    """Probabilities of two classes, to the last bit alike in f32 and f64."""
    first = np.round(np.array(scores) * 64) / 64
    return np.stack([first, 1 - first], axis=1)


def main():
    rng = np.random.default_rng(3)
    truth = rng.integers(0, 2, 80)
    noisy = np.clip(0.5 + 0.22 * (1 - 2 * truth) + rng.normal(0, 0.25, 80), 0.001, 0.999)
    noisy[abs(noisy - 0.5) < 0.01] = 0.53
    three = rng.dirichlet([1, 1, 1], 60).astype(np.float32)
    subjects = (np.arange(80) // 5).tolist()
    cases = [
        case("two classes", truth, two(noisy), 0, subjects),
        case("the other one is positive", truth, two(noisy), 1),
        case("coarse, so with many ties", truth, two(np.round(noisy * 4 + 0.1) / 4 * 0.9 + 0.06), 0,
             list(range(80))),
        case("three classes", rng.integers(0, 3, 60), three, 1, (np.arange(60) // 4).tolist()),
        case("positive class only", [0] * 9, two(noisy[:9]), 0),
        case("without the positive class", [1] * 9, two(noisy[:9]), 0),
        case("one image", [0], two([0.75]), 0),
        case("saturated", [0, 0, 1, 1, 1], two([1, 1, 0, 0, 1]), 0),
    ]
    # These draw no numbers of `rng`, so that what follows stays as it is.
    right = [0, 1] * 26
    cases += [
        case("all right", right, two(np.where(np.array(right) == 0, 0.9, 0.2)), 0),
        case("all right, of 13 subjects", right, two(np.where(np.array(right) == 0, 0.9, 0.2)), 0,
             [i // 4 for i in range(52)]),
        case("one subject", [0, 0, 1], two([0.9, 0.3, 0.2]), 0, [0, 0, 0]),
        case("nine subjects", truth, two(noisy), 0, (np.arange(80) % 9).tolist()),
        case("the positive class of few subjects", np.sort(truth), two(noisy), 0,
             [i // 6 for i in range(80)]),
    ]
    proportions = [{"share": share, "count": count, "level": level,
                    "interval": wilson(share * count, count, level)}
                   for level in (0.5, 0.8, 0.9, 0.95, 0.99, 0.999)
                   for share, count in [(0.0, 1), (1.0, 1), (1.0, 4), (0.0, 52), (1.0, 52), (0.5, 2),
                                        (43 / 52, 52), (0.9, 7), (0.123456, 9), (0.999, 100000)]]
    tests = []
    for folds, ratio in [(10, 1 / 9), (5, 0.25), (2, 1.0), (3, 0.5)]:
        a, b = rng.uniform(0.6, 0.9, folds), rng.uniform(0.55, 0.85, folds)
        d = a - b
        t = d.mean() / np.sqrt((1 / folds + ratio) * d.var(ddof=1))
        tests.append({"first": a.tolist(), "second": b.tolist(), "ratio": ratio, "t": float(t),
                      "p": float(2 * stats.t.sf(abs(t), folds - 1))})
    student = [{"t": t, "df": df, "p": float(2 * stats.t.sf(t, df))}
               for t in (0.0, 0.5, 1.5, 3.0, 8.0) for df in range(1, 13)]
    maps = []
    for shape, low in [((14, 14), -1.0), ((7, 7), 0.0), ((8, 8), -3.0)]:
        a = np.maximum(rng.uniform(low, 1, shape), 0).astype(np.float32).ravel()
        b = np.maximum(0.6 * a + rng.uniform(low, 0.5, a.size), 0).astype(np.float32)
        maps.append({"a": a.astype(float).tolist(), "b": b.astype(float).tolist(),
                     "spearman": float(stats.spearmanr(a, b).statistic)})
    golden = {"seed": SEED, "resamples": RESAMPLES, "cases": cases, "tests": tests,
              "proportions": proportions, "student": student, "maps": maps}
    with open(sys.argv[1], "w") as file:
        json.dump(golden, file, indent=None, separators=(",", ":"))
        file.write("\n")


if __name__ == "__main__":
    main()
