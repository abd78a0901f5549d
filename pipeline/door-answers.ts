import { shopperProblem } from '../consumers/ids.js';
import { isNumbered, knowsSchema, schemaIdOf } from '../schemas/codec.js';
import { clickstream, deadLetters } from '../schemas/topics.js';
import type { Shop } from '../producers/collect.js';
import { caughtUp, consumersCaughtUp } from './caught-up.js';
import type { NewRecord } from './core/log.js';
import { partitionOf } from './core/partition.js';
import type { RowSink } from './core/row-sink.js';
import type { Topology } from './core/topology.js';
import { letterPage, replayDeadLetter, replayDeadLetters } from './dead-letters.js';
import type { Engine } from './engine.js';
import { erasureOf } from './erasure.js';
import { exportEvents } from './export-events.js';
import { knownLines } from './known-lines.js';
import { bounded, limitMet } from './read-only-sql.js';
import { reconcile } from './reconcile.js';

/** What the running process answers to commands of the same data directory; the socket is open to its user alone. */
export function answerDoor(engine: Engine, topology: Topology, rowSink: RowSink | undefined, shop: Shop): void {
  const { door, log } = engine;
  if (!door) return;
  door.answer('log', () => ({ partitions: log.partitions, clock: log.clock }));
  door.answer('known-lines', ({ source }) => knownLines(engine, topology, String(source)));
  door.answer('append', async ({ records }) => {
    const decoded = (records as (Omit<NewRecord, 'value'> & { value: string | null })[])
      .map((record) => ({ ...record, value: record.value === null ? null : Buffer.from(record.value, 'base64') }));
    // Taken, each of them would be a dead letter of every consumer, and the command would say that all was accepted.
    const foreign = decoded.map(({ value }) => (value === null ? undefined : schemaIdOf(value))).find((id) => id !== undefined && !knowsSchema(id) && !isNumbered(id));
    if (foreign !== undefined) throw new Error(`The process that runs here does not know schema ${foreign}, in which this command writes: it is of an older version. Start it anew, then the command.`);
    return (await log.append(decoded)).length;
  });
  door.answer('caught-up', () => caughtUp(engine, topology, rowSink, () => {}));
  door.answer('consumers-caught-up', () => consumersCaughtUp(engine, topology, () => {}));
  door.answer('sql', async ({ query, write }, until) => {
    if (!rowSink) throw new Error('The running process has no ClickHouse at hand.');
    const sql = bounded(String(query));
    return (write === true ? rowSink.query(sql) : rowSink.look(sql, until)).catch((error: Error) => { throw new Error(limitMet(error) ?? error.message, { cause: error }); });
  });
  door.answer('reconcile', () => {
    if (!rowSink) throw new Error('The running process has no ClickHouse at hand.');
    return reconcile(log, rowSink);
  });
  door.answer('erase', ({ user }) => erase(engine, String(user)));
  door.answer('export-events', ({ path }) => exportEvents(engine, String(path)));
  door.answer('dead-letter-ranges', () => log.ranges(deadLetters.name));
  door.answer('dead-letter-page', ({ partition, offset }) => letterPage(log, Number(partition), Number(offset)));
  door.answer('replay-dead-letter', ({ id, value }) => replayDeadLetter(log, String(id), value === undefined ? undefined : String(value), shop));
  door.answer('replay-dead-letters', ({ code }) => replayDeadLetters(log, String(code), shop));
}

/**
 * Write the event that makes every consumer forget a shopper.
 * @throws Error for what can be nobody's id: consumers would put the event aside, and whoever asked would take somebody for forgotten
 */
export async function erase({ log }: Pick<Engine, 'log'>, user: string): Promise<void> {
  const problem = shopperProblem(user);
  if (problem !== undefined) throw new Error(`${JSON.stringify(user.slice(0, 80))} is nobody's id: ${problem}. Nothing was erased.`);
  const value = clickstream.codec.encode(erasureOf(user, Date.now()));
  await log.append([{ topic: clickstream.name, partition: partitionOf(user, log.partitions), key: user, value }]);
}
