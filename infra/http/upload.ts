import { createGunzip } from 'node:zlib';
import type { Readable } from 'node:stream';
import type { IncomingMessage } from 'node:http';
import type { NewRecord, Position } from '../../pipeline/core/log.js';
import { collectProduct } from '../../producers/catalog.js';
import type { CollectedRecord } from '../../producers/collect.js';
import { SKU_NAMES } from '../../producers/event-products.js';
import { isObject, type FieldError } from '../../producers/fields.js';
import { csvRows, misfit, type CsvRow } from '../../producers/formats/csv.js';
import { jsonLines, jsonList, NotJson, type Item } from '../../producers/formats/json-items.js';
import { encodeRecords } from '../../producers/publish.js';
import { Successions } from '../../producers/replaces-ring.js';
import { isIn } from '../../schemas/money.js';
import type { CatalogChange } from '../../schemas/types.js';
import { checkCharset, checkLength, encodingOf } from './body.js';
import type { Exchange, House } from './exchange.js';
import { encodeToken, highest } from './position-token.js';
import { badRequest, refuse, Refusal } from './problem.js';

const MAX_UPLOAD_BYTES = 50 * 1024 * 1024;
const MAX_ITEM = 64 * 1024;
const CHUNK = 500;
/** Wrong rows that an answer lists; the rest is counted. */
const MAX_LISTED = 100;

/** The unpacked body. A connection that breaks ends it: a pipe alone would wait for ever. */
function unpacked(request: IncomingMessage): Readable {
  const gunzip = createGunzip();
  request.once('close', () => {
    if (!request.complete) gunzip.destroy(new Error('The connection broke.'));
  });
  return request.pipe(gunzip);
}

/** The body as text, unpacked, piece by piece. @throws Refusal 413, 415, 400 */
async function* textOf(request: IncomingMessage): AsyncGenerator<string> {
  checkCharset(request);
  checkLength(request, MAX_UPLOAD_BYTES);
  const encoding = encodingOf(request);
  if (encoding !== 'identity' && encoding !== 'gzip') throw refuse(415, 'An upload may be packed with gzip.');
  // Wrong bytes would silently become U+FFFD.
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const bytes = encoding === 'gzip' ? unpacked(request) : request;
  let size = 0;
  try {
    // Leaving the loop early must not destroy the request: its connection still has to carry the answer.
    for await (const chunk of bytes.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > MAX_UPLOAD_BYTES) throw refuse(413, `An upload may have ${MAX_UPLOAD_BYTES} bytes.`);
      yield decoder.decode(chunk, { stream: true });
    }
    yield decoder.decode();
  } catch (cause) {
    if (cause instanceof Refusal) throw cause;
    if (cause instanceof TypeError) throw new Refusal({ status: 400, detail: 'The upload is not UTF-8: save it as UTF-8 and send it again. Rows before the wrong bytes may have been taken; to send them again is harmless.' }, { cause });
    throw new Refusal({ status: 400, detail: `The upload ended early or is not valid ${encoding}.` }, { cause });
  }
}

/** Names of the columns. @throws NotJson where rows could not be read by them */
function headerOf({ cells, line }: CsvRow): string[] {
  const names = cells.map((name) => name.trim());
  const twice = names.find((name, column) => name !== '' && names.indexOf(name) < column);
  if (twice !== undefined) throw new NotJson(`Line ${line} names the column ${twice} twice.`);
  if (!SKU_NAMES.some((name) => names.includes(name))) {
    throw new NotJson(`Line ${line} names no column ${SKU_NAMES.join(' or ')}: does the file lack its header, or is something else than commas between its cells?`);
  }
  return names;
}

async function* csvItems(text: AsyncIterable<string>): AsyncGenerator<Item[]> {
  let header: string[] | undefined;
  for await (const rows of csvRows(text)) {
    header ??= headerOf(rows.shift()!);
    const names = header;
    yield rows.map((row): Item => {
      const problem = misfit(row, names);
      return problem ? { problem } : { value: Object.fromEntries(names.map((name, column) => [name, row.cells[column]])) };
    });
  }
}

/** Items of an upload by its type; JSON that does not begin a list is read as lines. */
function itemsOf(request: IncomingMessage): AsyncGenerator<Item[]> {
  const type = (request.headers['content-type'] ?? 'application/json').split(';', 1)[0].trim().toLowerCase();
  switch (type) {
    case 'text/csv': return some(csvItems(textOf(request)));
    case 'application/x-ndjson': case 'application/jsonl': case 'application/json-lines': return some(jsonLines(textOf(request)));
    case 'application/json': case 'text/plain': return listOrLines(textOf(request));
    default: throw refuse(415, 'Send application/json (a list), application/x-ndjson or text/csv.');
  }
}

async function* listOrLines(text: AsyncGenerator<string>): AsyncGenerator<Item[]> {
  let begin = '';
  while (begin.trim() === '') {
    const { value, done } = await text.next();
    if (done) break;
    // What was blank so far says nothing: 50 MB of it, looked at again with each piece, would hold up everyone for a minute.
    begin = value;
  }
  async function* all(): AsyncGenerator<string> {
    yield begin;
    yield* text;
  }
  yield* begin.trimStart().startsWith('[') ? jsonList(all(), MAX_ITEM) : some(jsonLines(all()));
}

/** @throws NotJson where no row comes: what wrote such a file has failed, and nobody would hear of it. A list that says that it is empty is none. */
async function* some(items: AsyncGenerator<Item[]>): AsyncGenerator<Item[]> {
  let rows = 0;
  for await (const chunk of items) {
    rows += chunk.length;
    yield chunk;
  }
  if (rows === 0) throw new NotJson('The upload has no rows, so nothing has changed: has what writes it failed?');
}

/** What was taken, but will not do all that it seems to say: the first such row, and how many there are. */
interface Warning {
  readonly index: number;
  count: number;
  readonly path: 'currency';
  readonly code: 'other_currency';
  readonly message: string;
}

/** Notes a product whose price is in another currency than the shop's, one warning a currency. */
function noteCurrency(warnings: Map<string, Warning>, { op, price, currency }: CatalogChange, shop: string, index: number): void {
  if (op === 'delete' || price === null || currency === null || isIn(shop, currency)) return;
  const known = warnings.get(currency);
  if (known) known.count++;
  else warnings.set(currency, { index, count: 1, path: 'currency', code: 'other_currency', message: `The price is in ${currency}, the shop's currency is ${shop} (SHOP_CURRENCY): nothing is converted, so the price counts as unknown, in filters by price and in answers.` });
}

interface Wrong {
  readonly index: number;
  readonly errors: readonly FieldError[];
}

/**
 * Take a catalogue of any size in pieces of 500: what was taken before something went wrong stays taken, and sending the
 * file again is harmless, since a product's row replaces the one before.
 */
export async function uploadProducts(house: House, { request, receivedAt }: Exchange): Promise<object> {
  const context = { receivedAt, shop: house.settings.shop };
  const rejected: Wrong[] = [];
  const warnings = new Map<string, Warning>();
  let accepted = 0;
  let wrong = 0;
  let index = 0;
  let positions: readonly Position[] = [];
  let waiting: CollectedRecord[] = [];
  const successions = new Successions();
  const flush = async (): Promise<void> => {
    if (waiting.length === 0) return;
    const records: NewRecord[] = encodeRecords(waiting, house.deps.partitions);
    positions = highest([...positions, ...(await house.deps.accept(records))]);
    accepted += waiting.length;
    house.deps.metrics.count('millrace_events_accepted_total', { source: 'products' }, waiting.length);
    waiting = [];
  };
  const reject = (errors: Wrong['errors']): void => {
    wrong++;
    house.deps.metrics.count('millrace_events_rejected_total', { code: errors[0].code });
    if (rejected.length < MAX_LISTED) rejected.push({ index, errors });
  };
  try {
    for await (const items of itemsOf(request)) {
      for (const item of items) {
        if ('problem' in item) reject([item.problem]);
        else if (isObject(item.value) && Array.isArray(item.value['products'])) reject([{ path: 'products', code: 'wrong_type', message: 'Send the list itself, or a product a line, without an object around it.' }]);
        else {
          const outcome = successions.checked(collectProduct(item.value, context));
          if ('errors' in outcome) reject(outcome.errors);
          else {
            waiting.push(...outcome.ok.records);
            for (const { topic, value } of outcome.ok.records) if (topic === 'catalog') noteCurrency(warnings, value, context.shop.currency, index);
          }
        }
        index++;
        if (waiting.length >= CHUNK) await flush();
      }
    }
  } catch (cause) {
    if (!(cause instanceof NotJson)) throw cause;
    await flush();
    throw new Refusal({ status: 400, detail: cause.message, more: { accepted, rejectedCount: wrong, rejected } }, { cause });
  }
  await flush();
  if (accepted === 0 && wrong > 0) {
    throw badRequest(rejected.flatMap((row) => row.errors.map((error) => ({ path: `[${row.index}]${error.path === '' ? '' : '.'}${error.path}`, code: error.code, message: error.message }))), { accepted, rejectedCount: wrong });
  }
  return { accepted, rejectedCount: wrong, rejected, warnings: [...warnings.values()], token: encodeToken(positions) };
}

/**
 * Take one product out of the catalogue: it is never recommended again, until it is put there anew. One that only clicks have named can
 * be taken out as well, and one twice, so that a call may be sent again.
 * @throws Refusal 404 for a SKU that is surely nobody's: a slip of the pen would leave the product that was meant
 */
export async function deleteProduct(house: House, { receivedAt }: Exchange, sku: string): Promise<object> {
  const outcome = collectProduct({ sku, op: 'delete' }, { receivedAt, shop: house.settings.shop });
  if ('errors' in outcome) throw badRequest(outcome.errors);
  if ((await house.deps.isNamed?.(sku)) === false) throw refuse(404, `Neither the catalogue nor any event names a product ${JSON.stringify(sku)}.`);
  const positions = await house.deps.accept(encodeRecords(outcome.ok.records, house.deps.partitions));
  return { deleted: sku, token: encodeToken(positions) };
}
