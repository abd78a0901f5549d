/** Rows of partitions as far as offsets, of one that is not among them none. */
const until = (offsets: readonly number[] | undefined): string => (offsets === undefined ? '' : ` AND _offset < arrayElement([${offsets.map((offset) => `toUInt64(${offset})`).join(', ')}], _partition + 1)`);

/** Ids a statement: `multiSearchAny` takes 255 texts at most, and each id may stand in a dead letter in three ways. */
const IDS_AT_ONCE = 50;

/** A string as ClickHouse reads it. */
const quoted = (text: string): string => `'${text.replace(/[\\']/g, '\\$&')}'`;

/**
 * Statements that take the ids of shoppers out of the raw tables. No row goes, so that every count and sum stays what it
 * was; a shopper's rows stay together under a pseudonym that is noted nowhere. Refused calls are emptied: what a broken
 * page sent cannot be read field by field. `before`: as `RowSink.erase` has it.
 */
export function erasureStatements(database: string, ids: readonly string[], before: ReadonlyMap<string, readonly number[]>, pseudonym: string): string[] {
  const pieces = Array.from({ length: Math.ceil(ids.length / IDS_AT_ONCE) }, (_, piece) => ids.slice(piece * IDS_AT_ONCE, (piece + 1) * IDS_AT_ONCE));
  return pieces.flatMap((piece) => statementsFor(database, piece, before, pseudonym));
}

function statementsFor(database: string, ids: readonly string[], before: ReadonlyMap<string, readonly number[]>, pseudonym: string): string[] {
  const list = ids.map(quoted).join(', ');
  const nameless = `if(shopper IN (${list}), ${quoted(pseudonym)}, shopper)`;
  const session = `if(substring(session_id, 1, length(session_id) - position(reverse(session_id), '@')) IN (${list}), concat(${quoted(pseudonym)}, '@', arrayElement(splitByChar('@', session_id), -1)), session_id)`;
  const keys = ids.map((id) => quoted(Buffer.from(id).toString('base64'))).join(', ');
  const said = ['userId', 'anonymousId', 'previousId'].flatMap((field) => ids.map((id) => quoted(`"${field}":${JSON.stringify(id)}`))).join(', ');
  const change = (table: string, values: string, where: string): string => `ALTER TABLE ${database}.${table} UPDATE ${values} WHERE (${where})${until(before.get(table))} SETTINGS mutations_sync = 2`;
  const byShopper = `shopper IN (${list})`;
  return [
    change('interactions', `shopper = ${nameless}, anonymous_id = NULL, query = NULL, session_id = ${session}`, `${byShopper} OR anonymous_id IN (${list})`),
    ...['purchases', 'sales', 'marketing_triggers', 'recommendations'].map((table) => change(table, `shopper = ${quoted(pseudonym)}`, byShopper)),
    change('dead_letters', 'key_base64 = NULL, value_base64 = NULL', `key_base64 IN (${keys}) OR multiSearchAny(tryBase64Decode(ifNull(value_base64, '')), [${said}])`),
  ];
}
