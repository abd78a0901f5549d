import { memoryStore } from '../../pipeline/core/memory-store.js';
import type { TableStore } from '../../pipeline/core/store.js';
import { storeContract } from './store-contract.js';

storeContract('memory', async () => {
  const stores = new Map<string, TableStore>();
  return {
    open(table, partition) {
      const name = `${table}/${partition}`;
      const store = stores.get(name) ?? memoryStore();
      stores.set(name, store);
      return store;
    },
    close: async () => {},
  };
});
