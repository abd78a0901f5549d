import { fromSource } from '../support/run-module.js';

/** Arguments of a Node that is the command. */
export const entry = fromSource(new URL('../../pipeline/cli/millrace.ts', import.meta.url));

/** What must be in a report, whatever was killed when. */
export const nothingLostNorDoubled = { lost: 0, duplicated: 0, triggers_lost: 0, triggers_duplicated: 0, profiles_wrong: 0, examples: [], own_exits: [], drained: true };
