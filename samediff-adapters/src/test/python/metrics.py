"""Writes scores, labels and metrics of them to ../resources/train/metrics.json: python3 metrics.py (numpy, scipy). The formulas are
scikit-learn's, written out: accuracy, f1_score(average="macro"), roc_auc_score (average="macro", multi_class="ovr" for more than two
classes), mean_squared_error; scipy's pearsonr and spearmanr."""
import json
import pathlib

import numpy
from scipy import stats

rng = numpy.random.default_rng(3)


def auc(scores, positive):
    ranks = stats.rankdata(scores)
    n, m = positive.sum(), (~positive).sum()
    return (ranks[positive].sum() - n * (n + 1) / 2) / (n * m)


def of_classes(scores, labels):
    predicted, classes = scores.argmax(1), scores.shape[1]
    f1 = []
    for c in range(classes):
        met = ((predicted == c) & (labels == c)).sum()
        both = (predicted == c).sum() + (labels == c).sum()
        if both:
            f1.append(2 * met / both)
    shares = numpy.exp(scores) / numpy.exp(scores).sum(1, keepdims=True)
    areas = [auc(shares[:, c], labels == c) for c in range(classes)] if classes > 2 else [auc(shares[:, 1], labels == 1)]
    return dict(accuracy=float((predicted == labels).mean()), f1_macro=float(numpy.mean(f1)), auc=float(numpy.mean(areas)))


cases = []
for items, classes in [(40, 2), (60, 5), (30, 3)]:
    scores = rng.normal(size=(items, classes)).astype("float32")
    labels = rng.integers(0, classes, items)
    scores[numpy.arange(items), labels] += 0.7
    if classes == 5:
        scores[:, 4] -= 9  # never predicted
    weights = (rng.random(items) < 0.8).astype("float32")
    kept = weights > 0
    cases.append(
        dict(scores=scores.tolist(), labels=labels.tolist(), weights=weights.tolist(), expected=of_classes(scores[kept], labels[kept]))
    )
predictions = numpy.round(rng.normal(size=50), 1).astype("float32")  # with ties
numbers = numpy.round(predictions + rng.normal(size=50), 1).astype("float32")
embeddings = rng.normal(size=(40, 6)).astype("float32")
wanted = rng.normal(size=20).astype("float32")
a, b = embeddings[:20].astype("float64"), embeddings[20:].astype("float64")
cosines = (a * b).sum(1) / numpy.sqrt((a * a).sum(1) * (b * b).sum(1))
result = dict(
    classes=cases,
    numbers=dict(
        predictions=predictions.tolist(),
        labels=numbers.tolist(),
        expected=dict(
            mse=float(((predictions.astype("float64") - numbers) ** 2).mean()),
            pearson=float(stats.pearsonr(predictions, numbers)[0]),
            spearman=float(stats.spearmanr(predictions, numbers)[0]),
        ),
    ),
    pairs=dict(
        embeddings=embeddings.tolist(), labels=wanted.tolist(), expected=float(stats.spearmanr(cosines, wanted)[0])
    ),
)
target = pathlib.Path(__file__).parent.parent / "resources" / "train" / "metrics.json"
target.write_text(json.dumps(result))
