"""Prints the rows of `src/special/beta/tests.rs`. Needs mpmath; the arguments are the exact values of the floats."""

import mpmath as mp

mp.mp.dps = 60


def ln_beta(a, b):
    a, b = mp.mpf(a), mp.mpf(b)
    return mp.loggamma(a) + mp.loggamma(b) - mp.loggamma(a + b)


def lower(x, a, b):
    """The larger side is one minus the smaller one, which is a power series with positive terms or an integral of the density."""
    x, a, b = mp.mpf(x), mp.mpf(a), mp.mpf(b)
    if max(a, b) <= 20_000:
        return mp.log(mp.betainc(a, b, 0, x, regularized=True))
    mean = a / (a + b)
    deviation = mp.sqrt(a * b / (a + b) ** 3)
    ln_density = lambda t: (a - 1) * mp.log(t) + (b - 1) * mp.log1p(-t) - ln_beta(a, b)

    def tail(start, sign):
        end = min(max(start + sign * 60 * deviation, mp.mpf(0)), mp.mpf(1))
        top = ln_density(start)
        slope = abs((a - 1) / start - (b - 1) / (1 - start))
        step = min(deviation, 1 / slope) if slope > 0 else deviation
        grid, t, width = [start], start, step
        while (end - t) * sign > 0 and len(grid) < 60:
            t = t + sign * width
            width = width * mp.mpf("1.15")
            grid.append(t if (end - t) * sign > 0 else end)
        f = lambda t: mp.exp(ln_density(t) - top) if 0 < t < 1 else mp.mpf(0)
        return abs(mp.quad(f, grid)) * mp.exp(top)

    return mp.log(tail(x, -1)) if x <= mean else mp.log1p(-tail(x, 1))


for a, b in [(1e-6, 1e-6), (0.3, 40.0), (2.5, 1e9), (13.0, 11.5), (50.0, 50.0), (1e6, 9e6), (1e15, 3.0), (1e18, 1e18), (1e-300, 5.0)]:
    print(f"        ({a!r}, {b!r}, {mp.nstr(ln_beta(a, b), 20)}),")
print()
for x, a, b in [
    (0.5, 1e6, 1e6), (0.1, 1e6, 9e6), (0.5, 1e9, 1e9), (0.49999, 1e9, 1e9), (0.4994, 1e9, 1e9), (0.1, 1e9, 9e9),
    (0.0996, 1e9, 9e9), (0.3, 2.0, 5.0), (0.9, 2.0, 5.0), (0.25, 60.0, 140.0), (0.01, 60.0, 140.0), (0.2, 1000.0, 2000.0),
    (0.01, 200.0, 300.0), (1e-5, 12.0, 9e5), (1e-3, 100.0, 1e5), (0.5, 0.3, 0.2), (1e-9, 1e-3, 5.0), (0.999, 4.0, 0.5),
    (0.5, 1.5, 1e3), (0.6, 1e4, 9e3), (0.52, 1e4, 9e3), (0.55, 1e4, 9e3), (0.4999, 1e10, 1e10), (0.50001, 1e10, 1e10),
    (0.24998, 1e10, 3e10), (0.5, 2e-6, 2.0), (0.33, 33.0, 67.0),
]:
    print(f"        ({x!r}, {a!r}, {b!r}, {mp.nstr(lower(x, a, b), 20)}, {mp.nstr(lower(1 - mp.mpf(x), b, a), 20)}),")
