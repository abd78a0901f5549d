import { SchemaRegistry, SchemaType } from '@kafkajs/confluent-schema-registry';
import { ConfigError, Unavailable } from '../../pipeline/core/errors.js';
import type { Journal } from '../../pipeline/core/metrics.js';
import { codec, keepNumber, learnSchema, useRegistryIds } from '../../schemas/codec.js';
import { frozenSchemas, type RecordSchema } from '../../schemas/files.js';

const ATTEMPTS = 5;
const PAUSE_MS = 300;
const ANSWER_WITHIN_MS = 5_000;
const UNAUTHORIZED = 401;
/** Said of those who ask, not of what they ask for: a key that was taken back, too many questions. */
const NOT_NOW = new Set([UNAUTHORIZED, 403, 408, 429]);
const NO_RECORD_OF_OURS: RecordSchema = { type: 'record', name: 'ForeignSchema', namespace: '', doc: '', fields: [] };

/**
 * Register every version of every schema, use the ids that the registry gives, and fetch the schemas of foreign writers by id. A subject
 * is named for its record (Confluent's RecordNameStrategy), since a table's topic holds rows of several kinds.
 * @throws Unavailable while the registry does not answer, ConfigError where it refuses
 */
export async function useRegistry(url: string, journal: Journal): Promise<{ learnSchemas(ids: readonly number[]): Promise<void> }> {
  await answering(url);
  const registry = new SchemaRegistry({ host: url });
  const refused: string[] = [];
  for (const [name, versions] of frozenSchemas()) {
    const subject = `millrace.${name}`;
    // Earlier versions first: rows with their ids lie in tables, whose ids nobody asks for when they are read.
    for (const { schema, version } of versions) {
      const use = (id: number): void => (version === versions.length ? codec(name).useId(id) : learnSchema(id, schema));
      const problem = await register(registry, schema, subject).then(use, async (error: Error) => {
        await answering(url);
        return `${subject}: ${error.message}`;
      });
      if (problem) refused.push(problem);
    }
  }
  if (refused.length > 0) throw new ConfigError(refused.map((problem) => `The schema registry does not take ${problem}.`));
  useRegistryIds();
  return {
    async learnSchemas(ids) {
      for (const id of ids) {
        const text = await schemaOf(url, id);
        if (text !== undefined) learn(id, text, journal);
        else if (!keepNumber(id)) journal.warn({ id }, 'The registry has no such schema; its records become dead letters.');
      }
    },
  };
}

/** What is no record, or none that Avro reads (another team's Protobuf), must not stop the partition in which it stands. */
function learn(id: number, text: string, journal: Journal): void {
  try {
    learnSchema(id, JSON.parse(text) as RecordSchema);
  } catch (error) {
    journal.warn({ id, error: (error as Error).message }, 'The registry has a schema there that is no Avro record; its records become dead letters.');
    learnSchema(id, NO_RECORD_OF_OURS);
  }
}

/**
 * As it was registered: the registry's client answers a type without `logicalType`, so that amounts could not be read. Undefined where the
 * registry has none, or takes the number for no id.
 * @throws Unavailable
 */
async function schemaOf(url: string, id: number): Promise<string | undefined> {
  const answer = await asked(url, `schemas/ids/${id}`);
  if (NOT_NOW.has(answer.status)) throw unavailable(answer);
  if (!answer.ok) return void (await answer.body?.cancel());
  return ((await answer.json()) as { readonly schema: string }).schema;
}

/** Of processes that register a schema for the first time at once, Apicurio answers all but one with 409, as if they were refused: hence again. */
async function register(registry: SchemaRegistry, schema: RecordSchema, subject: string): Promise<number> {
  for (let attempt = 1; ; attempt++) {
    try {
      return (await registry.register({ type: SchemaType.AVRO, schema: JSON.stringify(schema) }, { subject })).id;
    } catch (error) {
      if (attempt === ATTEMPTS) throw error;
      await new Promise((resolve) => { setTimeout(resolve, PAUSE_MS); });
    }
  }
}

/**
 * Its client says 400 of a registry that is away, as of a schema that is refused. So it is asked by itself.
 * @throws Unavailable, and ConfigError where whoever asks is nobody there: each of a hundred schemas would be refused in turn, for minutes
 */
async function answering(url: string): Promise<void> {
  const { status, body } = await asked(url, 'subjects');
  await body?.cancel();
  if (status === UNAUTHORIZED) throw new ConfigError([`The schema registry at ${new URL(url).origin} asks who we are (status 401): a user and a password may stand in SCHEMA_REGISTRY_URL.`]);
}

/** @throws Unavailable */
async function asked(url: string, path: string): Promise<Response> {
  const address = new URL(`${url.replace(/\/$/, '')}/${path}`);
  const { username, password } = address;
  // `fetch` takes no credentials in an address, and its refusal tells them.
  [address.username, address.password] = ['', ''];
  const headers: Record<string, string> = username === '' ? {} : { authorization: `Basic ${Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString('base64')}` };
  const answer = await fetch(address, { headers, signal: AbortSignal.timeout(ANSWER_WITHIN_MS) }).catch((error: Error) => {
    throw new Unavailable(`The schema registry does not answer at ${address.origin}: ${error.cause instanceof Error ? error.cause.message : error.message}.`);
  });
  if (answer.status >= 500) throw unavailable(answer);
  return answer;
}

const unavailable = ({ url, status }: Response): Unavailable => new Unavailable(`The schema registry at ${new URL(url).origin} answers with status ${status}.`);
