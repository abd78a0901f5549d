/** What a ranking answers: the best of the candidates. */
export interface Recommendations {
  readonly items: Int32Array;
  /** Log odds between items of the same answer; larger is better. */
  readonly scores: Float32Array;
  /** Its row among the features of this query, which stay in the ranker's `x` until the next one. */
  readonly places: Uint8Array;
}

interface Scored {
  readonly items: Int32Array;
  readonly scores: Float32Array;
}

/** The best `limit` of the first `count` candidates, best first; of equal ones the earlier. */
export function best({ items: candidates, scores: all }: Scored, count: number, limit: number): Recommendations {
  const size = Math.max(0, Math.min(Math.floor(limit), count));
  const items = new Int32Array(size);
  const scores = new Float32Array(size);
  const places = new Uint8Array(size);
  let filled = 0;
  for (let c = 0; c < count; c++) {
    const score = all[c];
    if (filled === size && !(filled > 0 && score > scores[filled - 1])) continue;
    let at = filled < size ? filled++ : size - 1;
    for (; at > 0 && scores[at - 1] < score; at--) {
      scores[at] = scores[at - 1];
      items[at] = items[at - 1];
      places[at] = places[at - 1];
    }
    scores[at] = score;
    items[at] = candidates[c];
    places[at] = c;
  }
  return { items, scores, places };
}
