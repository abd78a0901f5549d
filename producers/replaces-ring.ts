import { LONGEST_LINE, replacedBy } from '../schemas/ordering.js';
import type { CatalogChange } from '../schemas/types.js';
import type { Outcome } from './collect.js';

/**
 * Who takes whose place in one upload. What is said first of a ring stands and what closes it is refused, by the names of all its SKUs: on
 * the topic it would be a dead letter that whoever sent the file never sees.
 */
export class Successions {
  readonly #replaced = new Map<string, string>();

  /** The same outcome of a row, or its refusal. */
  checked(outcome: Outcome): Outcome {
    if ('errors' in outcome) return outcome;
    const rings = outcome.ok.records.flatMap((record) => (record.topic === 'catalog' ? (this.#closedBy(record.value) ?? []) : []));
    return rings.length === 0 ? outcome : { errors: [{ path: 'replaces', code: 'replaces_ring', message: ringSentence(rings) }] };
  }

  /** SKUs of the ring that a product would close, itself first; one that closes none is noted. */
  #closedBy({ sku, op, attributes }: CatalogChange): readonly string[] | undefined {
    const replaced = op === 'delete' ? null : replacedBy(attributes['replaces']);
    this.#replaced.delete(sku);
    if (replaced === null) return undefined;
    const line = [sku];
    // In a file of half a million rows, each of which replaces the one before, an unbounded line would be followed for minutes.
    for (let next: string | undefined = replaced; next !== undefined && line.length <= LONGEST_LINE; next = this.#replaced.get(next)) {
      if (next === sku) return line;
      line.push(next);
    }
    this.#replaced.set(sku, replaced);
    return undefined;
  }
}

const ringSentence = ([sku, ...others]: readonly string[]): string =>
  `${sku} cannot take the place of ${[...others, sku].join(', which takes that of ')}. Change the attribute "replaces" of one of them.`;
