import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { Command } from 'commander';
import { Endpoint, webhookLimits } from '../../infra/webhook/endpoint.js';
import { receiver, type Received } from '../../infra/webhook/receiver.js';
import { readConfig, type Config } from '../config.js';
import { ConfigError } from '../core/errors.js';
import { noMetrics, silentJournal } from '../core/metrics.js';
import { systemPorts } from '../webhooks.js';
import { wholeFrom } from './counts.js';
import { exitingWell } from './exit.js';

const EXAMPLES = `
Try it:
  export WEBHOOK_URLS=http://127.0.0.1:9000/ WEBHOOK_SECRETS=whsec_$(openssl rand -base64 32)
  millrace webhooks listen --port 9000      # in a shell of its own, with the same two settings
  millrace webhooks test
  millrace start --demo`;

/** @throws ConfigError where there is nobody to send to */
function targetsOf({ webhooks }: Config): Config['webhooks'] {
  if (webhooks.length === 0) throw new ConfigError(['WEBHOOK_URLS and WEBHOOK_SECRETS are not set: see millrace webhooks --help.']);
  return webhooks;
}

/** A delivery on a line: when it was decided, what it says, of whom and why. */
export function lineOf({ body, isRepeated }: Pick<Received, 'body' | 'isRepeated'>): string {
  const { type, timestamp, data } = JSON.parse(body) as { type: string; timestamp: string; data: { rule?: string; shopper?: string; reason?: string } };
  return [timestamp, `${type}${isRepeated ? ' (again)' : ''}`, data.rule, data.shopper, data.reason].filter((part) => part !== undefined).join('\t');
}

/** A message that no system acts upon, since it is none that it knows. */
function testMessage(): { id: string; body: Buffer; supersedes: null } {
  const message = { type: 'trigger.test', timestamp: new Date().toISOString(), data: { status: 'test', shopper: 'nobody', reason: 'Sent by millrace webhooks test.', products: [] } };
  return { id: `test-${randomUUID()}`, body: Buffer.from(JSON.stringify(message)), supersedes: null };
}

export function webhooksCommand(): Command {
  const listening = new Command('listen').description('Receive webhooks on this machine, verify their signatures and print a line of each: to see what comes, not to keep it.')
    .option('--port <port>', 'of 127.0.0.1', wholeFrom(0, 65_535), 9_000).option('--json', 'print bodies as they came')
    .action(({ port, json }: { port: number; json?: boolean }) => exitingWell(async () => {
      const secrets = targetsOf(readConfig()).map(({ secret }) => secret);
      const server = receiver(secrets, (delivery) => process.stdout.write(`${json ? delivery.body : lineOf(delivery)}\n`), (problem) => process.stderr.write(`Refused with 401. ${problem}\n`));
      await once(server.listen(port, '127.0.0.1'), 'listening');
      process.stderr.write(`Webhooks are received at http://127.0.0.1:${(server.address() as AddressInfo).port}/ until Ctrl-C.\n`);
    }));
  const test = new Command('test').description('Send a signed trigger.test to each address of WEBHOOK_URLS, once, and say what it answers.')
    .option('--json', 'one JSON array')
    .action(({ json }: { json?: boolean }) => exitingWell(async () => {
      const answers = await Promise.all(targetsOf(readConfig()).map(async (target) => {
        const endpoint = new Endpoint(target, { metrics: noMetrics, journal: silentJournal, ...systemPorts }, webhookLimits);
        const never = new AbortController().signal;
        const outcome = await endpoint.send(testMessage(), never, never, () => false).finally(() => endpoint.close());
        return { endpoint: endpoint.name, delivered: outcome.kind === 'delivered', reason: 'reason' in outcome ? outcome.reason : outcome.kind === 'unsent' ? 'status 410' : null };
      }));
      if (json) process.stdout.write(`${JSON.stringify(answers)}\n`);
      else for (const { endpoint, delivered, reason } of answers) process.stdout.write(`${endpoint}: ${delivered ? 'delivered' : `not delivered, ${reason}`}\n`);
      const failed = answers.filter(({ delivered }) => !delivered).length;
      if (failed > 0) throw new Error(`${failed} of ${answers.length} did not take it.`);
    }));
  return new Command('webhooks').description('Try the addresses of WEBHOOK_URLS, or receive what is sent to them.').addCommand(listening).addCommand(test).addHelpText('after', EXAMPLES);
}
