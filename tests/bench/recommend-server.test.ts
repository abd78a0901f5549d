import { expect, test } from 'vitest';
import { KEY, startRecommendServer } from '../../pipeline/bench/recommend-server.js';
import { MODEL } from '../../models/fusion.js';
import { readConfig } from '../../pipeline/config.js';
import { recommendations } from '../../schemas/topics.js';
import { folderForTest } from '../support/folder.js';

test('the server that is measured tells each answer to the log, learns what it showed, and counts', async () => {
  const folder = folderForTest();
  const server = await startRecommendServer({ config: readConfig({}), folder, items: 300, shoppers: 20, learned: 2_000 });
  try {
    const port = await server.http.listen(0, '127.0.0.1');
    const ask = async (wishes: object = {}): Promise<string> => {
      const response = await fetch(`http://127.0.0.1:${port}/v1/recommend`, { method: 'POST', headers: { authorization: `Basic ${Buffer.from(`${KEY}:`).toString('base64')}` }, body: JSON.stringify({ userId: 'shopper-7', limit: 5, ...wishes }) });
      return response.text();
    };
    for (let n = 0; n < 3; n++) expect(JSON.parse(await ask())).toMatchObject({ model: MODEL, items: { length: 5 } });
    await expect.poll(async () => (await server.engine.log.ranges(recommendations.name))[0]!.end).toBe(3);
    await expect.poll(() => ask({ fatigue: 1, explain: true })).toContain('shown in vain');
    expect(server.metrics.total('millrace_recommendations_total')).toBeGreaterThan(3);
    expect(server.metrics.total('millrace_recommendations_untold_total')).toBe(0);
  } finally {
    await server.close();
  }
});
