/** Calls a process on this machine as a shop does: `at` is its admin token, any other key one of a browser or server. Answers status and JSON. */
export async function callAt<T extends object = Record<string, unknown>>(port: number, method: string, path: string, body?: unknown, key = 'sk'): Promise<{ status: number; json: T }> {
  const authorization = key === 'at' ? 'Bearer at' : `Basic ${Buffer.from(`${key}:`).toString('base64')}`;
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { method, headers: { authorization, 'content-type': 'application/json' }, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
  return { status: response.status, json: await response.json() as T };
}
