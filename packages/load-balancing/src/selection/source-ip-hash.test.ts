import { describe, expect, it } from 'vitest';
import { backendsOf, selectionContract } from '../../test/selection.contract.ts';
import { LeastConnections } from './least-connections.ts';
import { Maglev } from './maglev.ts';
import { Rendezvous } from './rendezvous.ts';
import { SourceIpHash } from './source-ip-hash.ts';

selectionContract(SourceIpHash, { shareTolerance: 0.05 });
selectionContract(SourceIpHash.with({ inner: Maglev }), { shareTolerance: 0.05 });

const backends = backendsOf(new Array<number>(50).fill(1));

describe('SourceIpHash', () => {
  it('SourceIpHash sends a client to the same backend, whatever its port and however its address is written', () => {
    const selection = SourceIpHash.build(backends, undefined);
    for (const forms of [
      [
        '192.0.2.7',
        '192.0.2.7:1',
        '192.0.2.7:65000',
        '::ffff:192.0.2.7',
        '[::ffff:c000:207]:9',
        Uint8Array.of(192, 0, 2, 7),
      ],
      ['2001:db8::1', '[2001:db8::1]:80', '2001:DB8:0::0:1', '2001:db8::ffff:2'],
    ]) {
      expect(new Set(forms.map((form) => selection.first(form))).size).toBe(1);
    }
  });

  it('SourceIpHash spreads clients, and networks where it is told to', () => {
    const clients = Array.from({ length: 200 }, (_, i) => `192.0.2.${i}`);
    const each = SourceIpHash.build(backends, undefined);
    expect(new Set(clients.map((client) => each.first(client))).size).toBeGreaterThan(40);
    const networks = SourceIpHash.with({ ipv4PrefixLength: 24 }).build(backends, undefined);
    expect(new Set(clients.map((client) => networks.first(client))).size).toBe(1);
    const whole = SourceIpHash.with({ ipv6PrefixLength: 128 }).build(backends, undefined);
    const near = Array.from({ length: 200 }, (_, i) => `2001:db8::${i.toString(16)}`);
    expect(new Set(near.map((client) => whole.first(client))).size).toBeGreaterThan(40);
  });

  it('SourceIpHash hashes other keys as they are', () => {
    const [selection, rendezvous] = [SourceIpHash.build(backends, undefined), Rendezvous.build(backends, undefined)];
    for (const key of ['user 1', '/path', 'example.com:80']) expect(selection.first(key)).toBe(rendezvous.first(key));
  });

  it('SourceIpHash passes on what is in use', () => {
    const selection = SourceIpHash.with({ inner: LeastConnections }).build(backendsOf([1, 1]), undefined);
    selection.onLoad?.(0, 3);
    expect(selection.first('192.0.2.1')).toBe(1);
    expect(() => selection.onDone?.(0, { ok: true })).not.toThrow();
  });

  it('SourceIpHash.with refuses lengths out of range, and what is no algorithm', () => {
    expect(() => SourceIpHash.with({ ipv4PrefixLength: 33 })).toThrow(
      'SourceIpHash: ipv4PrefixLength must be an integer from 0 to 32, got 33',
    );
    expect(() => SourceIpHash.with({ ipv6PrefixLength: 1.5 })).toThrow(
      'ipv6PrefixLength must be an integer from 0 to 128',
    );
    expect(() => SourceIpHash.with({ inner: {} as never })).toThrow('SourceIpHash: inner must have a method build');
  });
});
