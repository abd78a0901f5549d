import type { IncomingMessage } from 'node:http';

/** Settings that Segment's browser library asks for before it sends: everything goes to this server, to no other. */
export function segmentSettings(request: IncomingMessage, writeKey: string): object {
  const host = request.headers.host ?? 'localhost';
  const isTls = 'encrypted' in request.socket || request.headers['x-forwarded-proto'] === 'https';
  return {
    integrations: {
      'Segment.io': {
        apiKey: writeKey,
        apiHost: `${host}/v1`,
        protocol: isTls ? 'https' : 'http',
        unbundledIntegrations: [],
        addBundledMetadata: true,
        maybeBundledConfigIds: {},
        versionSettings: { version: '4.4.7', componentTypes: ['browser'] },
      },
    },
    plan: { track: { __default: { enabled: true, integrations: {} } }, identify: { __default: { enabled: true } }, group: { __default: { enabled: true } } },
    edgeFunction: {},
    analyticsNextEnabled: true,
    middlewareSettings: {},
    enabledMiddleware: {},
    metrics: { sampleRate: 0 },
    legacyVideoPluginsEnabled: false,
    remotePlugins: [],
  };
}

/** Source configuration that RudderStack's browser library asks for: no destinations, no reports to others. */
export const rudderSettings = (writeKey: string): object => ({
  source: {
    id: 'millrace',
    name: 'Millrace',
    writeKey,
    enabled: true,
    workspaceId: 'millrace',
    config: { statsCollection: { errors: { enabled: false }, metrics: { enabled: false } } },
    connections: [],
    destinations: [],
    dataplanes: {},
    sourceDefinition: { name: 'Javascript' },
  },
  updatedAt: '1970-01-01T00:00:00.000Z',
});
