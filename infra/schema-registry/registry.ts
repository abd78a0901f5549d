import { SchemaRegistry, SchemaType } from '@kafkajs/confluent-schema-registry';
import { ConfigError } from '../../pipeline/core/errors.js';
import type { Journal } from '../../pipeline/core/metrics.js';
import { codec, learnSchema } from '../../schemas/codec.js';
import { frozenSchemas, type RecordSchema } from '../../schemas/files.js';

const ATTEMPTS = 10;
const PAUSE_MS = 500;

/**
 * Register every version of every schema, use the ids that the registry gives, and fetch the schemas of foreign writers by id. A subject
 * is named for its record (Confluent's RecordNameStrategy), since a table's topic holds rows of several kinds.
 */
export async function useRegistry(url: string, journal: Journal): Promise<{ learnSchemas(ids: readonly number[]): Promise<void> }> {
  const registry = new SchemaRegistry({ host: url });
  const refused: string[] = [];
  for (const [name, versions] of frozenSchemas()) {
    const subject = `millrace.${name}`;
    // Earlier versions first: rows with their ids lie in tables, whose ids nobody asks for when they are read.
    for (const { schema, version } of versions) {
      const use = (id: number): void => (version === versions.length ? codec(name).useId(id) : learnSchema(id, schema));
      const problem = await register(registry, schema, subject).then(use, (error: Error) => `${subject}: ${error.message}`);
      if (problem) refused.push(problem);
    }
  }
  if (refused.length > 0) throw new ConfigError(refused.map((problem) => `The schema registry does not take ${problem}.`));
  return {
    async learnSchemas(ids) {
      for (const id of ids) {
        await registry.getSchema(id).then(
          (schema) => learnSchema(id, JSON.parse(JSON.stringify(schema)) as RecordSchema),
          (error: Error) => journal.warn({ id, error: error.message }, 'The registry has no such schema; its records become dead letters.'),
        );
      }
    },
  };
}

async function register(registry: SchemaRegistry, schema: RecordSchema, subject: string): Promise<number> {
  for (let attempt = 1; ; attempt++) {
    try {
      return (await registry.register({ type: SchemaType.AVRO, schema: JSON.stringify(schema) }, { subject })).id;
    } catch (error) {
      const isTransient = !('status' in (error as object)) || Number((error as { status?: number }).status) >= 500;
      if (!isTransient || attempt === ATTEMPTS) throw error;
      await new Promise((resolve) => { setTimeout(resolve, PAUSE_MS); });
    }
  }
}
