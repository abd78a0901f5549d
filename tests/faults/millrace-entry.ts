import { fileURLToPath } from 'node:url';

export const entry = [fileURLToPath(new URL('millrace-process.mjs', import.meta.url))];

/** What must be in a report, whatever was killed when. */
export const nothingLostNorDoubled = { lost: 0, duplicated: 0, triggers_lost: 0, triggers_duplicated: 0, profiles_wrong: 0, examples: [], own_exits: [], drained: true };
