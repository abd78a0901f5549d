/** What a shopper said of marketing, and when (ms); null: nothing. */
export interface Consent {
  readonly said: boolean | null;
  readonly at: number;
}

/**
 * The word that counts after a merge: the later one. But a yes that only came by a merge counts as said before all else, and where the merge is
 * not proven to be the user's, not at all: anybody may claim to be anybody in a page. Does not depend on which row came first.
 */
export function joinConsent(standing: Consent, moved: Consent, isProven: boolean): Consent {
  const brought = moved.said === true ? { said: isProven ? true : null, at: 0 } : moved;
  if (standing.said === null || brought.said === null) return standing.said === null ? brought : standing;
  return brought.at > standing.at ? brought : standing;
}
