import { spineContract } from './spine-contract.js';

spineContract('the embedded engine', { roles: ['all'], environment: {} });
