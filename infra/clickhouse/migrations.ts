import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigError } from '../../pipeline/core/errors.js';
import type { Row } from '../../pipeline/core/row-sink.js';
import { zoneName } from '../../pipeline/core/shop-day.js';
import { packageRoot } from '../../schemas/files.js';

/** Parameters of the SQL files in schemas/clickhouse. */
export interface MigrationParameters {
  readonly database: string;
  /** IANA zone in which a shop's day begins and ends. */
  readonly shopTimeZone: string;
}

/** One numbered file of schemas/clickhouse; `{{database}}` and `{{shop_timezone}}` stand for the parameters. */
export interface Migration {
  readonly version: number;
  readonly name: string;
  readonly text: string;
}

/** What migrating asks of an engine. */
export interface SqlSession {
  run(sql: string): Promise<void>;
  ask(sql: string): Promise<readonly Row[]>;
}

const FOLDER = join(packageRoot, 'schemas', 'clickhouse');

export const migrations = (): Migration[] =>
  readdirSync(FOLDER).filter((name) => /^\d{4}_\w+\.sql$/.test(name)).sort().map((name) => ({
    version: Number(name.slice(0, 4)), name: name.slice(5, -4), text: readFileSync(join(FOLDER, name), 'utf8'),
  }));

const notAZone = (name: string): string => `SHOP_TIMEZONE ${JSON.stringify(name)} is not an IANA time zone such as Europe/London.`;

/** @throws ConfigError unless both may stand in SQL as they are. */
export function checkParameters({ database, shopTimeZone }: MigrationParameters): void {
  const problems: string[] = [];
  if (!/^[A-Za-z_]\w{0,63}$/.test(database)) problems.push(`ClickHouse database ${JSON.stringify(database)} is not a plain name.`);
  if (!/^[\w+-]+(?:\/[\w+-]+)*$/.test(shopTimeZone)) problems.push(notAZone(shopTimeZone));
  if (problems.length > 0) throw new ConfigError(problems);
}

/** The statements of a migration, with its parameters filled in. A statement ends with a semicolon at the end of a line. */
export const statements = ({ text }: Migration, { database, shopTimeZone }: MigrationParameters): string[] =>
  text.replaceAll(/^--.*$/gm, '').split(/;[ \t]*$/m).map((part) => part.trim()).filter(Boolean)
    .map((part) => part.replaceAll('{{database}}', database).replaceAll('{{shop_timezone}}', shopTimeZone));

/** Of what it does: comments of the file and spaces may be changed after a release. */
const checksumOf = ({ text }: Migration): string =>
  createHash('sha256').update(text.replaceAll(/^--.*$/gm, '').replaceAll(/\s+/g, ' ').trim()).digest('hex');

/**
 * Ask the engine itself: its list has each zone under its old and its new name (Asia/Calcutta, Asia/Kolkata), that of
 * `Intl.supportedValuesOf` the old one alone. Unlike here, upper and lower case differ there.
 */
async function checkZone(session: SqlSession, name: string): Promise<void> {
  const found = (await session.ask(`SELECT time_zone FROM system.time_zones WHERE lower(time_zone) = lower('${name}')`)).map((row) => String(row['time_zone']));
  if (found.includes(name)) return;
  throw new ConfigError([found[0] === undefined ? notAZone(name) : `SHOP_TIMEZONE ${JSON.stringify(name)} is spelt ${found[0]}.`]);
}

/**
 * Bring a database up to the newest migration. Every statement can be run again, so a crash between two, or another
 * process doing the same, does no harm.
 * @throws ConfigError when the database was made by other migrations or for another time zone.
 */
export async function migrate(session: SqlSession, parameters: MigrationParameters): Promise<void> {
  checkParameters(parameters);
  const { database, shopTimeZone } = parameters;
  await checkZone(session, shopTimeZone);
  const record = `${database}.schema_migrations`;
  await session.run(`CREATE TABLE IF NOT EXISTS ${record} (
    version UInt32 COMMENT 'Number of the file in schemas/clickhouse', name String COMMENT 'Its name',
    checksum String COMMENT 'Of its statements', timezone String COMMENT 'Zone of the shop it was applied with'
  ) ENGINE = MergeTree ORDER BY version COMMENT 'Migrations that were applied to this database'`);
  const applied = new Map((await session.ask(`SELECT DISTINCT version, checksum, timezone FROM ${record}`)).map((row) => [Number(row['version']), row]));
  for (const migration of migrations()) {
    const checksum = checksumOf(migration);
    const before = applied.get(migration.version);
    if (before) {
      const problems: string[] = [];
      if (before['checksum'] !== checksum) {
        problems.push(
          `ClickHouse database ${database} was made by another version of Millrace: its migration ${migration.version} is not this one's (${migration.name}). ` +
          'Drop it (embedded: delete DATA_DIR/clickhouse) or name a new one (CLICKHOUSE_DATABASE); either is filled with what the log keeps.',
        );
      }
      if (zoneName(String(before['timezone'])) !== zoneName(shopTimeZone)) {
        problems.push(`Days in ${database} are those of ${String(before['timezone'])}, SHOP_TIMEZONE is ${shopTimeZone}; see docs/clickhouse.md#another-time-zone.`);
      }
      if (problems.length > 0) throw new ConfigError(problems);
      continue;
    }
    for (const statement of statements(migration, parameters)) await session.run(statement);
    await session.run(`INSERT INTO ${record} VALUES (${migration.version}, '${migration.name}', '${checksum}', '${shopTimeZone}')`);
  }
}
