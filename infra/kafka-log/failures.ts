import { setTimeout as delay } from 'node:timers/promises';
import { ConfigError, Unavailable } from '../../pipeline/core/errors.js';

/** Types and names down the chain of causes: kafkajs wraps the broker's answer in up to three errors. */
export function failureCodes(error: unknown): string[] {
  const codes: string[] = [];
  for (let at = error, depth = 0; at instanceof Error && depth < 6; at = at.cause, depth++) {
    if ('type' in at && typeof at.type === 'string') codes.push(at.type);
    else if ('code' in at && typeof at.code === 'string') codes.push(at.code);
    else codes.push(at.name);
  }
  return [...new Set(codes)];
}

const ofOperators = new Set([
  'TOPIC_AUTHORIZATION_FAILED', 'GROUP_AUTHORIZATION_FAILED', 'CLUSTER_AUTHORIZATION_FAILED', 'TRANSACTIONAL_ID_AUTHORIZATION_FAILED',
  'SASL_AUTHENTICATION_FAILED', 'KafkaJSSASLAuthenticationError', 'UNSUPPORTED_SASL_MECHANISM', 'INVALID_REPLICATION_FACTOR',
]);

const ofZombies = new Set(['INVALID_PRODUCER_EPOCH', 'PRODUCER_FENCED']);

/** Another owner has fenced this one. */
export const isFenced = (error: unknown): boolean => failureCodes(error).some((code) => ofZombies.has(code));

export const isMissingTopic = (error: unknown): boolean => failureCodes(error).includes('UNKNOWN_TOPIC_OR_PARTITION');

/** What a failure of the cluster means to the runtime: refused rights need an operator, all else a retry. `told`: what a stranger may read of it. */
export function asFailure(sentence: string, error: unknown, told?: string): Unavailable | ConfigError {
  if (error instanceof ConfigError || error instanceof Unavailable) return error;
  const codes = failureCodes(error);
  const said = `${sentence} (${codes.join(' < ') || String(error)})`;
  return codes.some((code) => ofOperators.has(code)) ? new ConfigError([said], { cause: error }) : new Unavailable(said, { cause: error, ...(told === undefined ? {} : { told }) });
}

/** The wait before attempt `attempt + 1`: 20 ms, doubled up to half a second. */
export const backOff = (attempt: number): Promise<void> => delay(Math.min(20 * 2 ** Math.min(attempt, 10), 500));
