/** What a shopper said of marketing, and when (ms); null: nothing. */
export interface Consent {
  readonly said: boolean | null;
  readonly at: number;
}

/**
 * Which of two consents counts after a merge: the later one. A yes that the merge brings is an exception, since in a page anybody may claim to
 * be anybody: it counts as said before everything else, and not at all where the merge is not proven to be the user's own. The outcome does
 * not depend on which row came first.
 */
export function joinConsent(standing: Consent, moved: Consent, isProven: boolean): Consent {
  const brought = moved.said === true ? { said: isProven ? true : null, at: 0 } : moved;
  if (standing.said === null || brought.said === null) return standing.said === null ? brought : standing;
  return brought.at > standing.at ? brought : standing;
}
