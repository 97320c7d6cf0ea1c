"""Writes multivariate.json: oracle values of the multivariate methods. Needs numpy, scipy and scikit-learn.

    python generate_multivariate.py > multivariate.json
"""

import json

import numpy as np
from scipy.spatial.distance import cdist
from scipy.stats import energy_distance, ttest_ind, wasserstein_distance
from sklearn.decomposition import PCA

generator = np.random.default_rng(7)
mixing = generator.normal(size=(5, 5))
reference = generator.normal(size=(120, 5)) @ mixing * [1.0, 10.0, 0.1, 1e6, 1e-6] + [0.0, 5.0, -3.0, 1e6, 0.0]
current = generator.standard_t(5, size=(90, 5)) @ mixing * [1.2, 10.0, 0.1, 1e6, 2e-6] + [0.3, 5.0, -3.0, 2e6, 0.0]


def standardise(rows, by):
    return (rows - by.mean(axis=0)) / by.std(axis=0)


# The permutation tests measure in deviations over both sides, embeddings in those of the reference.
both = np.vstack([reference, current])
u, v = standardise(reference, both), standardise(current, both)
x, y = standardise(reference, reference), standardise(current, reference)

one_column = {
    "energy_call": "scipy.stats.energy_distance(u[:, j], v[:, j]), standardised by both sides",
    "energy": [float(energy_distance(u[:, j], v[:, j])) for j in range(5)],
    "wasserstein_call": "scipy.stats.wasserstein_distance(u[:, j], v[:, j]), standardised by both sides",
    "wasserstein": [float(wasserstein_distance(u[:, j], v[:, j])) for j in range(5)],
}

energy = float(np.sqrt(2 * cdist(u, v).mean() - cdist(u, u).mean() - cdist(v, v).mean()))

directions = generator.normal(size=(200_000, 5))
directions /= np.linalg.norm(directions, axis=1, keepdims=True)
sliced = float(np.mean([wasserstein_distance(u @ w, v @ w) for w in directions[:4_000]]))


def mmd():
    distances = cdist(x, x)[np.triu_indices(len(x), 1)]
    h = np.sort(distances)[len(distances) // 2]
    kernel = lambda a, b: np.exp(-cdist(a, b) ** 2 / (2 * h * h)).mean()
    return float(np.sqrt(kernel(x, x) + kernel(y, y) - 2 * kernel(x, y)))


fitted, held_out = reference[::2], reference[1::2]
pca = PCA(n_components=0.65).fit(standardise(fitted, fitted))


def errors(rows):
    z = standardise(rows, fitted)
    return np.linalg.norm(z - pca.inverse_transform(pca.transform(z)), axis=1)


welch = ttest_ind(errors(current), errors(held_out), equal_var=False)

print(json.dumps({
    "reference": reference.T.tolist(),
    "current": current.T.tolist(),
    "one_column": one_column,
    "energy": {"call": "sqrt(2 cdist(u, v).mean() - cdist(u, u).mean() - cdist(v, v).mean())", "value": energy},
    "sliced_wasserstein": {"call": "mean of wasserstein_distance(u @ w, v @ w) over 4000 random directions w",
                           "value": sliced},
    "mmd": {"call": "sqrt of the biased MMD^2 with a Gaussian kernel of the median distance of x", "value": mmd()},
    "pca": {
        "call": "sklearn.decomposition.PCA(n_components=0.65) on standardised rows[::2]",
        "components": int(pca.n_components_),
        "explained": pca.explained_variance_ratio_.tolist(),
        "held_out_errors": errors(held_out).tolist(),
        "current_errors": errors(current).tolist(),
        "welch_call": "scipy.stats.ttest_ind(errors(current), errors(held_out), equal_var=False)",
        "p_value": float(welch.pvalue),
        "df": float(welch.df),
        "difference": float(errors(current).mean() - errors(held_out).mean()),
    },
}, indent=1))
