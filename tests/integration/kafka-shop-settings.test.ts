import { randomUUID } from 'node:crypto';
import { Kafka, logLevel } from 'kafkajs';
import { expect, test } from 'vitest';
import { openInstallation } from '../../pipeline/cli/installation.js';
import { destinationOf } from '../../pipeline/cli/replay-destinations.js';
import { readConfig, type Config } from '../../pipeline/config.js';
import { ConfigError } from '../../pipeline/core/errors.js';
import { noMetrics, silentJournal } from '../../pipeline/core/metrics.js';
import { openEngine } from '../../pipeline/engine.js';
import { shopSettings } from '../../schemas/topics.js';
import { folderForTest } from '../support/folder.js';
import { everythingIn } from '../support/records.js';
import { describeWith } from '../support/services/describe-with.js';

await describeWith(['kafka'], 'the settings with which topics were made', ({ kafka: { brokers } }) => {
  function shop() {
    const prefix = `shop-${randomUUID().slice(0, 8)}-`;
    const configured = (settings: object): Config => readConfig({ DATA_DIR: folderForTest(), KAFKA_BROKERS: brokers.join(','), TOPIC_PREFIX: prefix, TOPIC_PARTITIONS: '1', SHOP_CURRENCY: 'INR', SHOP_TIMEZONE: 'Asia/Kolkata', ...settings });
    return {
      prefix,
      configured,
      /** Opens the topics as a process with these settings, and closes them again. */
      async open(settings: object, makesRecords = true): Promise<void> {
        await (await openEngine({ config: configured(settings), metrics: noMetrics, journal: silentJournal, makesRecords })).close();
      },
    };
  }

  test('are those of all processes: another currency or time zone is refused to whoever makes records', async () => {
    const { open, prefix } = shop();
    // Who only reads notes nothing, and the same zone has two names.
    for (const [settings, makesRecords] of [[{ SHOP_CURRENCY: 'EUR' }, false], [{}, true], [{ SHOP_TIMEZONE: 'Asia/Calcutta' }, true], [{ SHOP_CURRENCY: 'EUR' }, false]] as const) await open(settings, makesRecords);
    await expect(open({ SHOP_CURRENCY: 'EUR', SHOP_TIMEZONE: 'UTC' })).rejects.toMatchObject({ name: ConfigError.name, problems: [
      expect.stringContaining(`SHOP_CURRENCY is EUR, and the topics ${prefix}… were made with INR`),
      expect.stringContaining(`SHOP_TIMEZONE is UTC, and the topics ${prefix}… were made with Asia/Kolkata`),
    ] });
  });

  test('are those of commands that write, too: a replay with another currency would have stamped it on every line, one with fewer partitions put keys where nobody looks for them', async () => {
    const { open, configured } = shop();
    await open({ TOPIC_PARTITIONS: '2' });
    const commands = {
      replay: (settings: object) => destinationOf(configured(settings), {}, 'file').then((to) => to.stop()),
      writing: (settings: object) => openInstallation(configured(settings), async () => {}, { makesRecords: true }),
      reading: (settings: object) => openInstallation(configured(settings), async () => {}),
    };
    for (const command of [commands.replay, commands.writing]) {
      await expect(command({ TOPIC_PARTITIONS: '2', SHOP_CURRENCY: 'EUR' })).rejects.toThrow(/^SHOP_CURRENCY is EUR, and the topics .* were made with INR/);
      await expect(command({ TOPIC_PARTITIONS: '1' })).rejects.toThrow(/TOPIC_PARTITIONS is 1, and the topics of this cluster have 2 partitions each/);
      await command({ TOPIC_PARTITIONS: '2' });
    }
    await commands.reading({ TOPIC_PARTITIONS: '1', SHOP_CURRENCY: 'EUR' });
  });

  test('are one of those with which two processes come at once', async () => {
    const { open } = shop();
    const currencies = ['EUR', 'USD'];
    const both = await Promise.allSettled(currencies.map((SHOP_CURRENCY) => open({ SHOP_CURRENCY })));
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    const again = await Promise.allSettled(currencies.map((SHOP_CURRENCY) => open({ SHOP_CURRENCY })));
    expect(again.map(({ status }) => status)).toEqual(both.map(({ status }) => status));
  });

  test('outlast compaction, which keeps the last word alone: it is the first one again', async () => {
    const { open, prefix } = shop();
    await open({});
    const config = readConfig({ DATA_DIR: folderForTest(), KAFKA_BROKERS: brokers.join(','), TOPIC_PREFIX: prefix, TOPIC_PARTITIONS: '1' });
    const { log, close } = await openEngine({ config, metrics: noMetrics, journal: silentJournal });
    // What a process leaves that lost the race and was killed.
    await log.append([{ topic: shopSettings.name, partition: 0, key: 'shop', value: shopSettings.codec.encode({ currency: 'EUR', timezone: 'UTC', partitions: 1 }) }]);
    await open({});
    const last = (await everythingIn(log, shopSettings.name)).at(-1);
    expect(last && shopSettings.codec.decode(last.value)).toEqual({ currency: 'INR', timezone: 'Asia/Kolkata', partitions: 1 });
    await close();
  });

  test('name the partitions: topics that were all given more are refused with that number, too', async () => {
    const { open, prefix } = shop();
    await open({});
    const admin = new Kafka({ clientId: 'operator', brokers, logLevel: logLevel.NOTHING }).admin();
    await admin.connect();
    const topics = (await admin.listTopics()).filter((topic) => topic.startsWith(prefix));
    await admin.createPartitions({ topicPartitions: topics.map((topic) => ({ topic, count: 2 })) });
    await admin.disconnect();
    await expect(open({ TOPIC_PARTITIONS: '2' })).rejects.toThrow(/^TOPIC_PARTITIONS is 2, and the topics .* were made with 1: keys and state belong to partitions/);
  });
});
