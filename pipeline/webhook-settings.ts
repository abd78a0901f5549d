import { BlockList, isIP } from 'node:net';
import type { WebhookTarget } from '../infra/webhook/endpoint.js';

const MOST = 8;
const SECRET = /^whsec_[A-Za-z0-9+/]+={0,2}$/;
const [LEAST_BYTES, MOST_BYTES] = [24, 64];

const ownNetworks = new BlockList();
for (const [network, prefix] of [['127.0.0.0', 8], ['10.0.0.0', 8], ['172.16.0.0', 12], ['192.168.0.0', 16]] as const) ownNetworks.addSubnet(network, prefix, 'ipv4');
ownNetworks.addAddress('::1', 'ipv6');
ownNetworks.addSubnet('fc00::', 7, 'ipv6');

/** An address of this machine or a private network, or a name without a dot, as those of containers are. */
function isNear(hostname: string): boolean {
  const host = hostname.replaceAll(/[[\]]/g, '');
  return isIP(host) === 0 ? !host.includes('.') : ownNetworks.check(host, isIP(host) === 6 ? 'ipv6' : 'ipv4');
}

/** What is wrong with an address. It may hold a secret, so that nothing of it is said. */
function problemOf(text: string): string | undefined {
  if (!URL.canParse(text)) return 'is no URL';
  const { protocol, hostname, username, password } = new URL(text);
  if (protocol !== 'https:' && !(protocol === 'http:' && isNear(hostname))) return 'must begin with https://, or with http:// where the host is of this machine or a private network';
  return username + password === '' ? undefined : 'must hold no user and no password: deliveries are signed';
}

/** Endpoints by their addresses and secrets, in the same order, and everything wrong with them. */
export function parseWebhooks(urls: readonly string[], secrets: readonly string[]): { targets: WebhookTarget[]; problems: string[] } {
  const problems: string[] = [];
  if (urls.length > MOST) problems.push(`WEBHOOK_URLS has ${urls.length} addresses; at most ${MOST} are served.`);
  if (urls.length !== secrets.length) problems.push(`WEBHOOK_URLS has ${urls.length} addresses and WEBHOOK_SECRETS ${secrets.length} secrets: each address takes one, in the same order.`);
  const addresses = urls.map((url) => (URL.canParse(url) ? new URL(url).href : url));
  urls.forEach((url, i) => {
    const problem = problemOf(url) ?? (addresses.indexOf(addresses[i]) < i ? 'is there twice' : undefined);
    if (problem !== undefined) problems.push(`WEBHOOK_URLS, number ${i + 1}, ${problem}.`);
  });
  secrets.forEach((secret, i) => {
    const bytes = SECRET.test(secret) ? Buffer.from(secret.slice('whsec_'.length), 'base64').length : 0;
    if (bytes < LEAST_BYTES || bytes > MOST_BYTES) problems.push(`WEBHOOK_SECRETS, number ${i + 1}, must be whsec_ and the base64 of ${LEAST_BYTES} to ${MOST_BYTES} random bytes.`);
  });
  return { targets: urls.map((url, i) => ({ url, secret: secrets[i] ?? '' })), problems };
}
