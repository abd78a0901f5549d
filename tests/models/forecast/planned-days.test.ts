import { expect, test } from 'vitest';
import * as calendar from '../../../models/forecast/calendar-index.js';
import { normalQuantile } from '../../../models/forecast/negative-binomial.js';
import { factorOf, learn, type EventEffect, type PlannedDay } from '../../../models/forecast/planned-days.js';
import { randomness, uniform } from '../../../models/kernels/numbers.js';

const SELLERS = 400;
const party: PlannedDay = { kind: 'holiday', name: 'Party' };

/** A shop whose days are off by a tenth by chance, and what so many parties of a size taught it. */
function after(parties: number, times: number): number {
  const index = calendar.init(7);
  const random = randomness(5);
  const chance = (): number => Math.exp(0.1 * normalQuantile(uniform(random)));
  const events: Record<string, EventEffect> = {};
  for (let day = 0; day < 400; day++) {
    const place = { phase: day % 7, monthDay: -1 };
    const isParty = day >= 350 && day % 10 === 0 && day < 350 + 10 * parties;
    const made = SELLERS * chance() * (isParty ? times : 1);
    if (!isParty) calendar.learn(index, place, made, SELLERS);
    else {
      const outcome = learn(events, party, index, place, SELLERS, { made, beyond3: 0, beyond6: 0 }, 0);
      if (!outcome.closed && outcome.learned) events[party.name] = outcome.learned;
    }
  }
  return factorOf(events, party, index.noise);
}

test('a name that was worth no more than chance makes is not believed, however often it came', () => {
  for (const parties of [1, 2, 5]) expect(Math.abs(after(parties, 1) - 1)).toBeLessThan(0.05);
});

test.each([0.5, 1.6, 2.5])('a name that is worth %s times an ordinary day is believed from its first time on', (times) => {
  for (const parties of [1, 3]) expect(Math.abs(after(parties, times) / times - 1)).toBeLessThan(0.15);
});

test('a closed day is worth nothing, a name that nobody has seen an ordinary day', () => {
  expect(factorOf({}, { kind: 'closed', name: 'Inventory' }, 0.1)).toBe(0);
  for (const name of ['Party', 'constructor', '__proto__']) expect(factorOf({}, { kind: 'holiday', name }, 0.1)).toBe(1);
});
