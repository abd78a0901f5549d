import { joinedIds } from '../schemas/joined-ids.js';
import type { Login as CarriedLogin, ShopEvent } from '../schemas/types.js';
import { keyOf, type Collected, type CollectedRecord } from './collect.js';

/** As sessions have it: what comes later is another visit, and by then the login has arrived. */
const VISIT_MS = 30 * 60_000;
const MOST = 10_000;

interface Login extends CarriedLogin {
  readonly to: string;
  readonly lastSeen: number;
  readonly receivedAt: number;
}

/**
 * Calls that come in one go (a batch, a file, requests within a moment) with a login before them. By the user's key they would overtake it: the login has first to reach
 * what the device did until then. So they take the device's way and carry the login with them.
 */
export class Logins {
  readonly #devices = new Map<string, Login>();
  readonly #withinMs: number;

  /** `withinMs`: how long after the receipt of a login what follows it may overtake it. In a file everything may. */
  constructor(withinMs = Infinity) {
    this.#withinMs = withinMs;
  }

  /** The records of the next call, each with the key under which it is to be written. */
  placed({ records }: Pick<Collected, 'records'>): readonly CollectedRecord[] {
    return records.map((record) => (record.topic === 'clickstream' ? this.#placed(record) : record));
  }

  /** The call is taken, and is written next: one that was refused leads nowhere. */
  written({ records }: Pick<Collected, 'records'>): void {
    for (const record of records) if (record.topic === 'clickstream') this.#written(record.value);
  }

  #placed(record: CollectedRecord & { readonly topic: 'clickstream' }): CollectedRecord {
    const { value } = record;
    const login = this.#loginBefore(value);
    if (!login) return record;
    const carrying = { ...value, login: { messageId: login.messageId, time: login.time, claim: login.claim } };
    return { topic: 'clickstream', key: keyOf(carrying), value: carrying };
  }

  #written(value: ShopEvent): void {
    const joined = joinedIds(value);
    const login = joined ? { to: joined.to, messageId: value.messageId, time: value.time, claim: value.claim, lastSeen: value.time, receivedAt: value.receivedAt } : this.#loginBefore(value);
    if (login) this.#note(joined?.from ?? value.anonymousId!, { ...login, lastSeen: Math.max(login.lastSeen, value.time) });
  }

  #loginBefore(value: ShopEvent): Login | undefined {
    const { anonymousId, userId, time, receivedAt } = value;
    const login = anonymousId === null || joinedIds(value) ? undefined : this.#devices.get(anonymousId);
    return login && login.to === userId && Math.abs(time - login.lastSeen) <= VISIT_MS && receivedAt - login.receivedAt <= this.#withinMs ? login : undefined;
  }

  /** Of a file of millions of devices the latest are remembered. */
  #note(device: string, login: Login): void {
    this.#devices.delete(device);
    this.#devices.set(device, login);
    if (this.#devices.size > MOST) for (const oldest of this.#devices.keys()) return void this.#devices.delete(oldest);
  }
}
