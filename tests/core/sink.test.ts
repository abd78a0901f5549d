import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { Unavailable } from '../../pipeline/core/errors.js';
import { DEDUPLICATION_MS, sinkLimits } from '../../pipeline/core/row-sink.js';
import type { SinkLimits } from '../../pipeline/core/row-sink.js';
import { runSink } from '../../pipeline/core/sink.js';
import { Crash, World, crashAt, numbers, unavailableAt } from './sink-world.js';

/** One life of a sink: until it has caught up, stopped, or crashed. */
async function live(world: World, { chunk = Infinity, limits = sinkLimits }: { chunk?: number; limits?: SinkLimits } = {}): Promise<void> {
  const { lease, revoke } = world.lease(chunk);
  const onStep = world.onStep;
  // A dead process does nothing more: nobody hears of its error either.
  world.onStep = (step, name) => {
    try {
      onStep(step, name);
    } catch (error) {
      if (error instanceof Crash) revoke();
      throw error;
    }
  };
  const running = runSink(lease, numbers, world.sink, world.ports, limits);
  const watch = setInterval(() => world.stopped && revoke(), 1);
  await running;
  clearInterval(watch);
  world.onStep = () => {};
}

const filled = (...kinds: Parameters<World['add']>[0][]): World => {
  const world = new World();
  for (const kind of kinds) world.add(kind);
  return world;
};
const rows = (count: number): World => filled(...Array.from({ length: count }, () => 'data' as const));
const sorted = (offsets: readonly number[]) => [...offsets].sort((a, b) => a - b);
const tokens = (world: World) => world.blocks.map(({ token }) => token);

test('records become rows, ticks and tombstones do not', async () => {
  const world = filled('tick', 'data', 'tombstone', 'data', 'tick');
  await live(world);
  expect(world.table).toEqual([1, 3]);
  expect(tokens(world)).toEqual(['table-1/numbers/0/1-3']);
  expect(world.stored).toEqual({ offset: 5, metadata: 'done:table-1:3' });
});

test('a block is marked as pending before it is inserted', async () => {
  const world = rows(3);
  crashAt(world, [await stepOf(rows(3), 'before insert')]);
  await live(world);
  expect(world.table).toEqual([]);
  expect(world.stored).toEqual({ offset: 0, metadata: `pending:2:1000000:table-1` });
});

test('a crash at any step leaves each row once, in the table and in its view', async () => {
  const limits = { ...sinkLimits, maxRows: 2 };
  const whole = filled('data', 'tick', 'data', 'data', 'tombstone', 'data', 'data');
  await live(whole, { limits });
  for (let step = 0; step < whole.steps; step++) {
    const world = filled('data', 'tick', 'data', 'data', 'tombstone', 'data', 'data');
    crashAt(world, [step]);
    await live(world, { limits });
    for (const kind of ['data', 'tick', 'data'] as const) world.add(kind);
    await live(world);
    expect({ step, table: sorted(world.table), view: sorted(world.view) }).toEqual({ step, table: world.expected, view: world.expected });
  }
});

test('whatever arrives, however it is cut and wherever processes die, each row is there once', async () => {
  const kind = fc.constantFrom('data', 'data', 'data', 'tick', 'tombstone', 'poison');
  const life = fc.record({
    arriving: fc.array(fc.record({ kind, gap: fc.nat(2) }), { maxLength: 12 }), chunk: fc.integer({ min: 1, max: 5 }), maxRows: fc.integer({ min: 1, max: 6 }),
    faults: fc.array(fc.nat(40), { maxLength: 3 }), dies: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(life, { minLength: 1, maxLength: 5 }), async (lives) => {
      const world = new World();
      for (const { arriving, chunk, maxRows, faults, dies } of lives) {
        for (const record of arriving) world.add(record.kind as 'data', record.gap);
        if (dies) crashAt(world, faults);
        else unavailableAt(world, faults);
        await live(world, { chunk, limits: { ...sinkLimits, maxRows } });
      }
      await live(world);
      expect(world.errors.filter((sentence) => sentence.includes('has stopped'))).toEqual([]);
      expect(sorted(world.table)).toEqual(world.expected);
      expect(sorted(world.view)).toEqual(world.expected);
    }),
    { numRuns: 150 },
  );
});

test('a block that got no answer is sent again as it was until one comes', async () => {
  const world = rows(3);
  const insert = await stepOf(rows(3), 'table written, view not');
  unavailableAt(world, [insert, insert + 1, insert + 3, insert + 5]);
  await live(world);
  expect(new Set(tokens(world))).toEqual(new Set(['table-1/numbers/0/0-2']));
  expect(world.blocks.length).toBeGreaterThan(2);
  expect(world.table).toEqual([0, 1, 2]);
  expect(world.view).toEqual([0, 1, 2]);
});

test('a clock that is set back by an hour holds no block back', async () => {
  const world = rows(1);
  world.onStep = (_step, name) => {
    if (name !== 'after storeOffset' || !world.stored?.metadata.startsWith('done') || world.blocks.length > 1) return;
    world.time -= 3_600_000;
    world.add('data');
  };
  const began = world.time;
  await live(world);
  expect(world.table).toEqual([0, 1]);
  expect(world.blocks[1]!.at - (began - 3_600_000)).toBeLessThan(2_000);

  const ticking = rows(1);
  ticking.patience = 100;
  ticking.onStep = (_step, name) => {
    if (name !== 'poll' || !ticking.stored?.metadata.startsWith('done') || ticking.records.length > 1) return;
    ticking.time -= 3_600_000;
    ticking.add('tick');
  };
  await live(ticking);
  expect(ticking.stored?.offset).toBe(2);

  const filling = rows(2);
  let polls = 0;
  filling.onStep = (_step, name) => {
    if (name === 'poll' && ++polls === 2) filling.time -= 3_600_000;
  };
  await live(filling, { chunk: 1 });
  expect(filling.blocks.map(({ rows: of, at }) => [of, at < began])).toEqual([[2, true]]);
});

test('what a clock says of a machine that slept, or of a log that was away, does not pass for a range that the log has lost', async () => {
  const world = rows(3);
  crashAt(world, [await stepOf(rows(3), 'before insert')]);
  await live(world);
  const kept = world.records.slice();
  let polls = 0;
  world.onStep = (_step, name) => {
    if (name !== 'poll') return;
    world.records.splice(0, world.records.length, ...(++polls === 1 ? [] : kept));
    if (polls === 1) world.time += 2 * 86_400_000;
  };
  await live(world);
  expect(world.errors).toEqual([]);
  expect(world.table).toEqual([0, 1, 2]);
});

test('a log that does not answer for minutes while a pending range is read again has not lost it; one that ends before it has', async () => {
  for (const [away, left, errors, table] of [[300, 3, [], [0, 1, 2]], [0, 2, ['The sink of numbers has stopped; see docs/clickhouse.md#a-sink-has-stopped.'], []]] as const) {
    const world = rows(3);
    crashAt(world, [await stepOf(rows(3), 'before insert')]);
    await live(world);
    Object.assign(world, { onStep: () => {}, away, patience: 100 });
    world.records.length = left;
    await live(world);
    expect(world.errors).toEqual(errors);
    expect(world.table).toEqual(table);
  }
});

test('why a block waits is told once until it is taken, however often it is sent again', async () => {
  const world = rows(3);
  const insert = await stepOf(rows(3), 'before insert');
  unavailableAt(world, Array.from({ length: 40 }, (_, i) => insert + i));
  await live(world);
  expect(world.blocks.length).toBeGreaterThan(40);
  expect(world.warnings).toEqual(['The sink of numbers, partition 0, waits for what does not answer. The same is not told again until it works.']);
});

test('what waits for ClickHouse is told by the second, in rows and by its age, until it is there', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  try {
    const world = rows(3);
    for (const record of world.records) Object.assign(record, { writtenAt: world.time - 5_000 });
    const told: unknown[] = [];
    const start = world.time;
    world.onStep = (_, name) => {
      vi.advanceTimersByTime(1_000);
      if (name !== 'before insert') return;
      told.push([world.gauges.get('millrace_sink_lag_records{numbers}'), Math.round((world.gauges.get('millrace_sink_lag_seconds{numbers}') ?? 0) - (world.time - start) / 1_000)]);
      if (told.length < 20) throw new Unavailable('ClickHouse does not answer.');
    };
    await live(world);
    expect(world.time - start).toBeGreaterThan(60_000);
    expect([world.table, told]).toEqual([[0, 1, 2], Array.from({ length: 20 }, () => [3, 5])]);
    expect([world.gauges.get('millrace_sink_lag_records{numbers}'), world.gauges.get('millrace_sink_lag_seconds{numbers}')]).toEqual([0, 0]);
  } finally {
    vi.useRealTimers();
  }
});

describe('a block that was left open for longer than the deduplication window', () => {
  const leftOpen = async (step: string): Promise<World> => {
    const world = rows(3);
    crashAt(world, [await stepOf(rows(3), step)]);
    await live(world);
    world.time += DEDUPLICATION_MS + 1;
    world.tableTokens.clear();
    world.viewTokens.clear();
    return world;
  };

  test('is inserted when none of its rows is there', async () => {
    const world = await leftOpen('before insert');
    await live(world);
    expect(world.table).toEqual([0, 1, 2]);
  });

  test('is done when all of its rows are there', async () => {
    const world = await leftOpen('after insert');
    await live(world);
    expect(world.table).toEqual([0, 1, 2]);
    expect(world.stored).toEqual({ offset: 3, metadata: 'done:table-1:2' });
  });

  test('stops the sink when some are', async () => {
    const world = await leftOpen('after insert');
    world.table = [0];
    await live(world);
    expect(world.stopped).toBe(true);
    expect(world.errors[0]).toContain('docs/clickhouse.md');
    expect(world.table).toEqual([0]);
  });
});

describe('an error that waiting does not mend', () => {
  test('stops this sink, alerts, and leaves the block pending', async () => {
    const world = rows(3);
    world.onStep = (_step, name) => {
      if (name === 'before insert') throw new Error('TYPE_MISMATCH');
    };
    await live(world);
    expect(world.stopped).toBe(true);
    expect(world.blocks).toHaveLength(1);
    expect(world.stored?.metadata).toMatch(/^pending:2:/);
  });

  test('a schema that this process does not know stops it, a record that nobody can read does not', async () => {
    const newer = filled('data', 'newer');
    await live(newer);
    expect(newer.stopped).toBe(true);
    const poison = filled('data', 'poison', 'data');
    await live(poison);
    expect(poison.stopped).toBe(false);
    expect(poison.table).toEqual([0, 2]);
  });

  test('a stored offset that has left the log stops it', async () => {
    const world = rows(3);
    world.start = 2;
    world.stored = { offset: 0, metadata: 'done:table-1' };
    await live(world);
    expect(world.stopped).toBe(true);
  });
});

describe('where a sink begins', () => {
  test('nowhere when the log remembers no offset and its table has rows: they may be of a topic that was deleted, with which Kafka drops offsets', async () => {
    const world = rows(5);
    world.table = [0, 1, 2];
    await live(world);
    expect([world.table, world.stopped]).toEqual([[0, 1, 2], true]);
    world.stored = { offset: 3, metadata: '' };
    await live(world);
    expect([world.table, world.stopped]).toEqual([[0, 1, 2, 3, 4], false]);
  });

  test('after the last row of its table when the offset speaks of another one, as of one that was restored', async () => {
    const world = rows(5);
    world.stored = { offset: 5, metadata: 'done:table-0:4' };
    world.table = [0, 1, 2];
    await live(world);
    expect(world.table).toEqual([0, 1, 2, 3, 4]);
  });

  test('at the start of the log when its table was made anew', async () => {
    const world = rows(3);
    await live(world);
    world.tableId = 'table-2';
    world.table = [];
    await live(world);
    expect(world.table).toEqual([0, 1, 2]);
    expect(world.stored?.metadata).toBe('done:table-2:2');
  });

  test('where an operator set it, unless rows would be doubled', async () => {
    const world = rows(3);
    world.stored = { offset: 2, metadata: '' };
    await live(world);
    expect(world.table).toEqual([2]);
    world.stored = { offset: 0, metadata: '' };
    await live(world);
    expect(world.stopped).toBe(true);
    expect(world.table).toEqual([2]);
  });
});

describe('a table that stands ahead of the log, as when the log was put back from an older copy', () => {
  test('stops the sink before new records take the numbers of its rows', async () => {
    const world = rows(3);
    await live(world);
    const copy = world.stored;
    world.add('data');
    await live(world);
    world.stored = copy;
    world.add('data');
    await live(world);
    expect([world.table, world.stopped, world.stored]).toEqual([[0, 1, 2, 3], true, copy]);
  });

  test('stops it also where a block was under way', async () => {
    const world = rows(3);
    world.stored = { offset: 0, metadata: `pending:2:${world.time}:table-1` };
    world.table = [0, 1, 2, 3];
    await live(world);
    expect([world.table, world.stopped]).toEqual([[0, 1, 2, 3], true]);
  });
});

describe('a table that stands behind what was acknowledged, as in a copy whose folders are from different moments', () => {
  const behind = expect.stringMatching(/^Row 2 of numbers is missing, which ClickHouse had acknowledged: .* docs\/runbook\.md#back-up\.$/);

  test('is told of at each start, and the sink goes on', async () => {
    const world = rows(3);
    await live(world);
    await live(world);
    expect(world.warnings).toEqual([]);
    world.table = [0, 1];
    for (let start = 0; start < 2; start++) await live(world);
    expect(world.warnings).toEqual([behind, behind]);
    world.add('data');
    await live(world);
    expect([world.table, world.stored, world.warnings]).toEqual([[0, 1, 3], { offset: 4, metadata: 'done:table-1:3' }, [behind, behind, behind]]);
  });

  test('is told of also where a block was under way', async () => {
    const world = rows(3);
    await live(world);
    world.add('data');
    crashAt(world, [await stepOf(rows(1), 'before insert')]);
    await live(world);
    expect(world.stored?.metadata).toMatch(/^pending:3:\d+:table-1:2$/);
    world.table = [0, 1];
    await live(world);
    expect([world.table, world.warnings]).toEqual([[0, 1, 3], [behind]]);
  });

  test('is not told of by the mark of a version that did not name its last row', async () => {
    const world = rows(3);
    Object.assign(world, { table: [0, 1], stored: { offset: 3, metadata: 'done:table-1' } });
    world.add('data');
    await live(world);
    expect([world.table, world.warnings]).toEqual([[0, 1, 3], []]);
  });
});

describe('blocks', () => {
  test('are full under backlog', async () => {
    const world = rows(25_000);
    await live(world);
    expect(world.blocks.map((block) => block.rows)).toEqual([10_000, 10_000, 5_000]);
  });

  test('go at once when caught up, but at most five a second', async () => {
    const world = rows(1);
    const began = world.time;
    // A click each 10 ms for two seconds.
    world.onStep = (_step, name) => {
      if (name === 'poll' && world.time - began < 2_000) {
        world.time += 10;
        world.add('data');
      }
    };
    await live(world);
    expect(world.blocks[0]!.at - began).toBeLessThanOrEqual(20);
    expect(world.blocks.length).toBeLessThanOrEqual(12);
    expect(world.table).toEqual(world.expected);
  });

  test('a quiet shop still moves its stored offset past the ticks', async () => {
    const world = filled('data');
    await live(world);
    for (let minute = 0; minute < 3; minute++) world.add('tick');
    world.onStep = (_step, name) => {
      if (name === 'poll') world.time += 61_000;
    };
    await live(world);
    expect(world.stored).toEqual({ offset: 4, metadata: 'done:table-1:0' });
  });
});

test('a sink that lost its partition stores nothing more', async () => {
  const world = rows(3);
  const { lease, revoke } = world.lease();
  world.onStep = (_step, name) => {
    if (name === 'after insert') revoke();
  };
  await runSink(lease, numbers, world.sink, world.ports);
  expect(world.stored?.metadata).toMatch(/^pending:2:/);
});

/** Number of the first step of that name in an undisturbed life. */
async function stepOf(world: World, wanted: string): Promise<number> {
  let found = -1;
  world.onStep = (step, name) => {
    if (name === wanted && found < 0) found = step;
  };
  await live(world);
  return found;
}
