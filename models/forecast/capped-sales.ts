/**
 * How many times as much was sold as expected, when no sale counts for more than three times what all of them make of a typical one.
 *
 *   x = units / typical units,   M(c) = Σ min(x, c) = made + beyond3 · (c − 3)/3 | c < 6,   made + beyond3 + beyond6 · (c − 6)/12 | c < 18
 *   R = the least solution of  R = M(3 max(1, R)) / expected                              a share of a band that is linear in c
 *
 * A fixed cap of three cannot tell five times as much from three; no cap takes one bulk order for the day. Where most sell five times as much
 * the cap rises to fifteen with them, and a bulk order among ordinary sales still counts for three: of a hundred sales R = 99 / 97. Three sums are kept, since sums can be
 * taken back when a sale is corrected and caps cannot. With fewer than four sales expected a bulk order may raise its own cap: such days are to be
 * doubted by whoever asks. Nothing made is 0. Typical sales have no unit.
 */
export interface CappedSales {
  /** Σ min(x, 3). */
  readonly made: number;
  /** Σ of what lies between 3 and 6, and between 6 and 18. */
  readonly beyond3: number;
  readonly beyond6: number;
}

const [LOW, MIDDLE, HIGH] = [3, 6, 18];

export const noCapped: CappedSales = { made: 0, beyond3: 0, beyond6: 0 };

/** One sale of so many typical ones. */
export const capped = (x: number): CappedSales => ({
  made: Math.min(x, LOW), beyond3: Math.max(0, Math.min(x, MIDDLE) - LOW), beyond6: Math.max(0, Math.min(x, HIGH) - MIDDLE),
});

/** R; `expected` is more than zero. */
export function timesExpected({ made, beyond3, beyond6 }: CappedSales, expected: number): number {
  const least = Math.max(0, made) / expected;
  const [middle, high] = [Math.max(0, beyond3) / expected, Math.max(0, beyond6) / expected];
  if (least <= 1) return least;
  // R = least + middle (R − 1) as long as 3 R is below 6, and so on: M is linear between the caps.
  const below6 = middle < 1 ? (least - middle) / (1 - middle) : Infinity;
  if (below6 <= MIDDLE / LOW) return below6;
  const share = high / 4;
  const below18 = share < 1 ? (least + middle - 2 * share) / (1 - share) : Infinity;
  return Math.min(below18 <= HIGH / LOW ? below18 : Infinity, least + middle + high);
}
