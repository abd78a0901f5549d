/** Index of the first of sorted values that `reached` accepts, as all behind it are; their number where it accepts none. */
export function firstFrom<T>(sorted: readonly T[], reached: (value: T) => boolean): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (reached(sorted[middle]!)) high = middle;
    else low = middle + 1;
  }
  return low;
}
