import { takenUpTo } from '../consumers/sources.js';
import { clickstream, orderLedger, orders, userProfiles } from '../schemas/topics.js';
import { consumersCaughtUp } from './caught-up.js';
import type { Topology } from './core/topology.js';
import type { Engine } from './engine.js';

/** Ordinals below which the lines of a source have been taken before, by the topic that they go to. */
export type KnownLines = Readonly<Record<string, number>>;

/** What an embedded log, which has one partition, knows of a source once all that is in it now has been read. */
export async function knownLines(engine: Engine, topology: Topology, source: string): Promise<KnownLines> {
  await consumersCaughtUp(engine, topology, () => {});
  const upTo = (table: string): number => takenUpTo(source, (key) => engine.owned.open(table, 0).get(key));
  return { [clickstream.name]: upTo(userProfiles.name), [orders.name]: upTo(orderLedger.name) };
}
