"""Writes shadow.json: divergences of two histograms.

Run: python generate_shadow.py (numpy, scipy).
"""

import json
from pathlib import Path

import numpy as np
from scipy.spatial.distance import jensenshannon


def divergence(champion, candidate):
    p, q = (np.array(x) + 0.5 for x in (champion, candidate))
    p, q = p / p.sum(), q / q.sum()
    return {
        "call": "p, q with half a count added to each bin; sum((q - p) * log(q / p)) and scipy.spatial.distance.jensenshannon(p, q)**2",
        "champion": champion,
        "candidate": candidate,
        "psi": float(np.sum((q - p) * np.log(q / p))),
        "jensen_shannon": float(jensenshannon(p, q) ** 2),
    }


def main():
    data = {
        "divergence": [
            divergence([10, 20, 30, 40], [40, 30, 20, 10]),
            divergence([100, 0, 0, 5], [90, 10, 0, 5]),
            divergence([7, 7, 7, 7], [7, 7, 7, 7]),
        ],
    }
    Path(__file__).with_name("shadow.json").write_text(json.dumps(data, indent=1) + "\n")


if __name__ == "__main__":
    main()
