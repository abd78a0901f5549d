import { expect, test } from 'vitest';
import { evaluateCompression } from '../../../models/evaluate/compression.js';
import { testSessions } from '../../../models/evaluate/recommendations.js';

test('less memory is told with what it costs: nothing for none, everything for all of the ranker', () => {
  const train = Array.from({ length: 400 }, (_, n) => Int32Array.of((n * 2) % 40, ((n * 2) % 40) + 1));
  const test = testSessions(Array.from({ length: 20 }, (_, n) => ({ prefix: Int32Array.of(n * 2), target: n * 2 + 1 })));
  const [asIs, small, kept, none] = evaluateCompression(train, test, [0, 1], () => {});
  expect(asIs).toMatchObject({ variant: 'as it is', precision: 1, precisionLoss: 0 });
  expect(small.precision).toBe(1);
  expect(small.bytesAfter).toBe(40 * 68);
  expect(small.bytesBefore).toBe(40 * 272);
  expect(kept).toMatchObject({ precision: 1, precisionLoss: 0 });
  expect(none).toMatchObject({ bytesAfter: 0, precision: 0 });
});
