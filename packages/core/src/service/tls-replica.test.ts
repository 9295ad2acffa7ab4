import { randomBytes } from 'node:crypto';
import { makeCa } from '@cirque/testing';
import { describe, expect, test } from 'vitest';
import { TlsSettings } from '../listeners/tls/tls-settings.ts';
import { TlsReplica, type TlsStates } from './tls-replica.ts';

const ca = makeCa('Root');
const { cert, key } = ca.issue({ names: ['a.example'] });
const asks = { clientCertificate: 'require', clientCa: Buffer.from(ca.cert) } as const;

/** Settings of one thread, made of the same options as those of another. */
function made(): TlsSettings {
  const certificate = { cert: Buffer.from(cert), key: Buffer.from(key) };
  return new TlsSettings({ certificate, hosts: { 'b.example': { ...certificate, ...asks } }, ...asks });
}

const replicaOf = (settings: TlsSettings): TlsReplica => new TlsReplica(() => [settings]);
const sent = (states: TlsStates): TlsStates => structuredClone(states);

describe('TlsReplica', () => {
  test('a copy serves with what the original has read, and its keys', async () => {
    const [original, copy] = [made(), made()];
    await original.load();
    replicaOf(copy).apply(sent(replicaOf(original).snapshot()));
    expect(copy.ticketKeys).toEqual(original.ticketKeys);
    expect(copy.contexts.fallback.hasCertificate).toBe(true);
    expect(await copy.load()).toEqual([]);
    // Authorities are compared as texts: they must not have become something else on the way.
    expect(copy.contexts.sharesRules(copy.contexts.fallback, 'b.example')).toBe(true);
    expect(copy.state.material).toEqual(original.state.material);
  });

  test('before the files are read only the keys are copied', () => {
    const [original, copy] = [made(), made()];
    replicaOf(copy).apply(sent(replicaOf(original).snapshot()));
    expect(copy.ticketKeys).toEqual(original.ticketKeys);
    expect(() => copy.contexts).toThrow('before they were loaded');
  });

  test('onChange tells of new keys and of files that were read again, until it is ended', async () => {
    const settings = made();
    const told: TlsStates[] = [];
    const end = replicaOf(settings).onChange((states) => told.push(states));
    const keys = settings.rotateTicketKeys();
    await settings.reload();
    end();
    settings.rotateTicketKeys();
    expect(told.map(([state]) => [state?.ticketKeys, state?.material !== undefined])).toEqual([
      [keys, false],
      [keys, true],
    ]);
  });

  test('apply refuses keys that are none, and changes nothing', async () => {
    const settings = made();
    const { ticketKeys } = settings;
    const wrong = [{ ticketKeys: randomBytes(47), material: undefined }];
    expect(() => replicaOf(settings).apply(wrong)).toThrow('ticketKeys must be a Buffer of 48 bytes');
    expect(settings.ticketKeys).toBe(ticketKeys);
  });

  test('key is the same for settings that say the same, and only for those', () => {
    const { key: same } = replicaOf(made());
    expect(replicaOf(made()).key).toBe(same);
    expect(replicaOf(made().enableH2()).key).not.toBe(same);
    expect(replicaOf(new TlsSettings({ certificate: { certFile: 'a', keyFile: 'b' } })).key).not.toBe(same);
    expect(new TlsReplica(() => [made(), made()]).key).not.toBe(same);
  });
});
