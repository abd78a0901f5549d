import { ConfigError, Unavailable } from '../../pipeline/core/errors.js';

/** ClickHouse's codes that pass by themselves; every other code is for good. */
const PASSING = new Set([
  74, 75, // CANNOT_READ_FROM_, CANNOT_WRITE_TO_FILE_DESCRIPTOR: a full disk
  159, 160, // TIMEOUT_EXCEEDED, TOO_SLOW
  173, // CANNOT_ALLOCATE_MEMORY
  198, // DNS_ERROR
  202, 203, // TOO_MANY_SIMULTANEOUS_QUERIES, NO_FREE_CONNECTION
  209, 210, // SOCKET_TIMEOUT, NETWORK_ERROR
  236, // ABORTED: the server is shutting down
  241, // MEMORY_LIMIT_EXCEEDED
  242, // TABLE_IS_READ_ONLY: a replica that lost its keeper
  243, // NOT_ENOUGH_SPACE
  252, // TOO_MANY_PARTS: merges will catch up
  279, 285, 286, // ALL_CONNECTION_TRIES_FAILED, TOO_FEW_LIVE_REPLICAS, UNSATISFIED_QUORUM_FOR_PREVIOUS_WRITE
  319, // UNKNOWN_STATUS_OF_INSERT
  394, // QUERY_WAS_CANCELLED
  425, // SYSTEM_ERROR
  999, // KEEPER_EXCEPTION
]);

/** Codes that only an operator can mend: unknown user, wrong password, access denied, authentication failed. */
const REFUSED = new Set([192, 193, 497, 516]);

/** The error of our taxonomy for an exception that ClickHouse itself raised. */
export function clickHouseError(code: number, cause: Error): Error {
  if (PASSING.has(code)) return new Unavailable(`ClickHouse cannot do it now: ${cause.message}`, { cause });
  if (REFUSED.has(code)) return new ConfigError([`ClickHouse refuses: ${cause.message}`], { cause });
  return cause;
}
