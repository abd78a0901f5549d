import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { brokerFromJars } from './kafka.js';
import { freePorts, run, temporaryDirectory } from './processes.js';
import { unavailable } from './unavailable.js';
import type { RunningKafka } from './kafka.js';
import type { Unavailable } from './unavailable.js';

/** A broker that has, beside its plain listener for the test's own use, one with TLS and SASL/PLAIN. */
export interface RunningSecureKafka extends RunningKafka {
  secure: { brokers: string[]; ca: string; caFile: string; username: string; password: string };
}

/** Always from the jars: a container would need its certificate mounted, and tests nothing more. */
export async function startSecureKafka(): Promise<RunningSecureKafka | Unavailable> {
  const { directory, remove } = temporaryDirectory('kafka-tls');
  try {
    const certificate = await selfSigned(directory);
    const [port = 0] = await freePorts(1);
    const username = 'millrace';
    const password = 'for-tests-only';
    const kafka = await brokerFromJars((plain) => ({
      listeners: `${plain.listeners},SECURE://127.0.0.1:${port}`,
      'advertised.listeners': `${plain['advertised.listeners']},SECURE://127.0.0.1:${port}`,
      'listener.security.protocol.map': `${plain['listener.security.protocol.map']},SECURE:SASL_SSL`,
      'listener.name.secure.ssl.keystore.type': 'PEM',
      'listener.name.secure.ssl.keystore.location': certificate.keyAndChain,
      'listener.name.secure.sasl.enabled.mechanisms': 'PLAIN',
      'listener.name.secure.plain.sasl.jaas.config': `org.apache.kafka.common.security.plain.PlainLoginModule required user_${username}="${password}";`,
    }));
    const stop = async () => {
      await kafka.stop();
      remove();
    };
    return { ...kafka, stop, secure: { brokers: [`127.0.0.1:${port}`], ca: readFileSync(certificate.ca, 'utf8'), caFile: certificate.ca, username, password } };
  } catch (error) {
    remove();
    return unavailable('Kafka with TLS', error);
  }
}

/** A certificate for 127.0.0.1 that is its own authority, valid for a day. */
async function selfSigned(directory: string): Promise<{ ca: string; keyAndChain: string }> {
  const key = path.join(directory, 'key.pem');
  const ca = path.join(directory, 'ca.pem');
  const subject = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1,DNS:localhost'];
  await run('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '1', '-keyout', key, '-out', ca, ...subject]);
  const keyAndChain = path.join(directory, 'keystore.pem');
  writeFileSync(keyAndChain, readFileSync(key, 'utf8') + readFileSync(ca, 'utf8'));
  return { ca, keyAndChain };
}
