import { randomUUID } from 'node:crypto';
import { createClient } from '@clickhouse/client';
import { SchemaRegistry, SchemaType } from '@kafkajs/confluent-schema-registry';
import { Kafka, logLevel } from 'kafkajs';
import { expect, test } from 'vitest';
import { describeWith } from '../support/services/describe-with.js';

await describeWith(['kafka'], 'the test broker', ({ kafka: { brokers } }) => {
  test('delivers what was produced in a transaction, with its key', async () => {
    const topic = `services-${randomUUID()}`;
    const kafka = new Kafka({ clientId: 'services-test', brokers, logLevel: logLevel.NOTHING });
    const admin = kafka.admin();
    await admin.connect();
    await admin.createTopics({ topics: [{ topic, numPartitions: 2 }], waitForLeaders: true });
    await admin.disconnect();

    const producer = kafka.producer({ transactionalId: topic, idempotent: true, maxInFlightRequests: 1 });
    await producer.connect();
    const transaction = await producer.transaction();
    await transaction.send({ topic, messages: [{ key: 'shopper-1', value: 'a click' }] });
    await transaction.commit();
    await producer.disconnect();

    const consumer = kafka.consumer({ groupId: topic, maxWaitTimeInMs: 100 });
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    const received = await new Promise<string>((resolve, reject) => {
      consumer
        .run({ eachMessage: async ({ message }) => resolve(`${String(message.key)}: ${String(message.value)}`) })
        .catch(reject);
    });
    await consumer.disconnect();
    expect(received).toBe('shopper-1: a click');
  });
});

await describeWith(['clickhouse'], 'the test ClickHouse', ({ clickhouse: { url } }) => {
  test('keeps rows of a MergeTree and answers with them', async () => {
    const database = `services_${randomUUID().replaceAll('-', '')}`;
    const client = createClient({ url });
    await client.command({ query: `CREATE DATABASE ${database}` });
    await client.command({ query: `CREATE TABLE ${database}.sales (sku String, price Decimal(18, 4)) ENGINE = MergeTree ORDER BY sku` });
    await client.insert({ table: `${database}.sales`, values: [{ sku: 'a', price: '0.0010' }, { sku: 'b', price: '12.5000' }], format: 'JSONEachRow' });
    const answer = await client.query({ query: `SELECT toString(sum(price)) AS total FROM ${database}.sales`, format: 'JSONEachRow' });
    expect(await answer.json()).toEqual([{ total: '12.501' }]);
    await client.command({ query: `DROP DATABASE ${database}` });
    await client.close();
  });
});

await describeWith(['schemaRegistry'], 'the test schema registry', ({ schemaRegistry: { url } }) => {
  const order = (...fields: object[]) => ({ type: SchemaType.AVRO as const, schema: JSON.stringify({ type: 'record', name: 'Order', fields }) });
  const id = { name: 'id', type: 'string' };

  test('gives an id under which a framed record is decoded', async () => {
    const registry = new SchemaRegistry({ host: url });
    const registered = await registry.register(order(id), { subject: `services-${randomUUID()}-value` });
    const framed = await registry.encode(registered.id, { id: 'order-1' });
    expect(framed.subarray(0, 5)).toEqual(Buffer.from([0, 0, 0, 0, registered.id]));
    expect(await registry.decode(framed)).toEqual({ id: 'order-1' });
  });

  test('refuses a change that old data could not be read with', async () => {
    const registry = new SchemaRegistry({ host: url });
    const subject = `services-${randomUUID()}-value`;
    await registry.register(order(id), { subject });
    await expect(registry.register(order(id, { name: 'total', type: 'string' }), { subject })).rejects.toThrow(/incompatible|compatib/i);
  });
});
