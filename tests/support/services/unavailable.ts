/** Why a service could not be had on this machine, in a sentence for the runner's output. */
export interface Unavailable {
  unavailable: string;
}

export function unavailable(service: string, error: unknown): Unavailable {
  return { unavailable: `${service} is not available: ${error instanceof Error ? error.message : String(error)}` };
}
