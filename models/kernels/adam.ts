/**
 * Adam over named arrays of weights, in the order and with the rounding of single precision.
 * Source: Kingma & Ba 2015; the rate of a step is corrected for the means that began at zero.
 */

export function adamRate(rate: number, steps: number): number {
  return (rate * Math.sqrt(1 - 0.999 ** steps)) / (1 - 0.9 ** steps);
}

/** One step on `weights` from place `from` on, as far as the slopes go. */
export function adamStep(weights: Float32Array, means: Float32Array, squares: Float32Array, slopes: Float32Array, rate: number, from = 0): void {
  for (let i = 0; i < slopes.length; i++) {
    const at = from + i;
    means[at] += 0.1 * (slopes[i] - means[at]);
    squares[at] += 0.001 * (slopes[i] * slopes[i] - squares[at]);
    weights[at] -= (rate * means[at]) / (Math.sqrt(squares[at]) + 1e-8);
  }
}

/** Named weights, and what is kept beside each, as columns of a snapshot: `name`, `nameMomentum` and `nameSquares`. */
export function adamColumns<Name extends string>(
  names: readonly Name[], weights: Readonly<Record<Name, Float32Array>>, momentum: Readonly<Record<Name, Float32Array>>, squares: Readonly<Record<Name, Float32Array>>,
): Record<string, Float32Array> {
  return Object.fromEntries(names.flatMap((name) => [[name, weights[name]], [`${name}Momentum`, momentum[name]], [`${name}Squares`, squares[name]]]));
}
