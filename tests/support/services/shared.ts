import { pingWithin, startClickHouse } from './clickhouse.js';
import { startKafka, warmUp } from './kafka.js';
import { startSchemaRegistry, subjects } from './schema-registry.js';
import { unavailable } from './unavailable.js';
import type { Unavailable } from './unavailable.js';

declare module 'vitest' {
  interface ProvidedContext {
    /** Where test files ask for services: GET /kafka, /clickhouse or /schemaRegistry. */
    services: string;
  }
}

/** What a suite is told about each service it asks for. */
export interface Addresses {
  kafka: { brokers: string[] };
  clickhouse: { url: string };
  schemaRegistry: { url: string };
}

export type ServiceName = keyof Addresses;

/** One running service of a vitest run, or the reason why there is none. */
export type Shared<N extends ServiceName> = { address: Addresses[N]; stop(): Promise<void> } | Unavailable;

/** Starts each service; an address in the environment always wins, and must then answer. */
export const starters: { [N in ServiceName]: () => Promise<Shared<N>> } = {
  kafka: async () => {
    const given = process.env.KAFKA_BROKERS ? process.env.KAFKA_BROKERS.split(',') : undefined;
    if (given) return answering('Kafka at KAFKA_BROKERS', { brokers: given }, () => warmUp(given, 5_000));
    const kafka = await startKafka();
    return 'unavailable' in kafka ? kafka : { address: { brokers: kafka.brokers }, stop: kafka.stop };
  },
  clickhouse: async () => {
    const given = process.env.CLICKHOUSE_URL;
    if (given) return answering('ClickHouse at CLICKHOUSE_URL', { url: given }, () => pingWithin(given, 5_000));
    const server = await startClickHouse();
    return 'unavailable' in server ? server : { address: { url: server.url }, stop: server.stop };
  },
  schemaRegistry: async () => {
    const given = process.env.SCHEMA_REGISTRY_URL;
    if (given) return answering('The registry at SCHEMA_REGISTRY_URL', { url: given }, () => subjects(given));
    const registry = await startSchemaRegistry();
    return 'unavailable' in registry ? registry : { address: { url: registry.url }, stop: registry.stop };
  },
};

/** The variable that names each service's address. */
export const variables: Record<ServiceName, string> = {
  kafka: 'KAFKA_BROKERS',
  clickhouse: 'CLICKHOUSE_URL',
  schemaRegistry: 'SCHEMA_REGISTRY_URL',
};

async function answering<A>(name: string, address: A, probe: () => Promise<void>): Promise<{ address: A; stop(): Promise<void> } | Unavailable> {
  try {
    await probe();
    return { address, stop: async () => undefined };
  } catch (error) {
    return unavailable(name, error);
  }
}
