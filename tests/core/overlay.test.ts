import fc from 'fast-check';
import { expect, test } from 'vitest';
import { memoryStore } from '../../pipeline/core/memory-store.js';
import { Overlay } from '../../pipeline/core/overlay.js';
import { rows } from '../../pipeline/core/rows.js';
import type { ItemWatcher } from '../../schemas/types.js';

const watchers = rows<ItemWatcher>('watcher', 'ItemWatcher');

test('the first rows of a kind are the first of all, whatever was put and deleted since the last commit', () => {
  const changes = fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'), fc.boolean()), { maxLength: 10 });
  fc.assert(fc.property(changes, changes, fc.nat(4), fc.nat(7), (committed, since, undone, most) => {
    const store = memoryStore();
    const overlay = new Overlay(store);
    const change = ([sub, isThere]: readonly [string, boolean], at: number): void => overlay.put(watchers, 'P', sub, isThere ? { since: at } : undefined);
    committed.forEach(change);
    overlay.put(watchers, 'P ', 'a', { since: 0 });
    store.apply(overlay.changes(), 0);
    overlay.clear();
    since.slice(undone).forEach(change);
    overlay.mark();
    since.slice(0, undone).forEach(change);
    overlay.undo();
    const there = new Map<string, boolean>([...committed, ...since.slice(undone)]);
    const all = overlay.scan(watchers, 'P');
    expect(all.map(({ sub }) => sub)).toEqual([...there.keys()].filter((sub) => there.get(sub)).sort());
    expect(overlay.scan(watchers, 'P', most)).toEqual(all.slice(0, most));
  }));
});
