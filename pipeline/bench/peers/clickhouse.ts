import { createClient, ClickHouseLogLevel } from '@clickhouse/client';
import type { Row } from '../../core/row-sink.js';

export interface InsertLoop {
  readonly url: string;
  readonly user: string;
  readonly password: string;
  readonly database: string;
  readonly table: string;
  readonly batches: readonly (readonly Row[])[];
  readonly connections: number;
}

/** The bare insert loop of @clickhouse/client: as many at once as ours has partitions. Answers rows a second. */
export async function insertLoop({ url, user, password, database, table, batches, connections }: InsertLoop): Promise<number> {
  const client = createClient({ url, username: user, password, database, max_open_connections: connections, log: { level: ClickHouseLogLevel.OFF } });
  try {
    const began = performance.now();
    const left = [...batches];
    await Promise.all(Array.from({ length: connections }, async () => {
      for (let values = left.shift(); values; values = left.shift()) await client.insert({ table, values, format: 'JSONEachRow' });
    }));
    return batches.reduce((sum, { length }) => sum + length, 0) / ((performance.now() - began) / 1000);
  } finally {
    await client.close();
  }
}
