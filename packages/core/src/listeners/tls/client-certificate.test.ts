import { CirqueError } from '@cirque/error';
import type { SslDigest } from '@cirque/transport';
import { describe, expect, test } from 'vitest';
import { type ClientPolicy, judgeClient } from './client-certificate.ts';

/** A client with a trusted certificate, one with another, one without. */
function client(kind: 'trusted' | 'stranger' | 'none'): SslDigest {
  const peerCertificate = kind === 'none' ? undefined : { subject: 'O=Org\nCN=Ann' };
  const authorizationError = kind === 'stranger' ? 'SELF_SIGNED' : undefined;
  return {
    authorized: kind === 'trusted',
    authorizationError,
    peerCertificate,
    serverName: 'a',
  } as unknown as SslDigest;
}

const require: ClientPolicy = { mode: 'require', ca: ['pem'] };
const request: ClientPolicy = { mode: 'request', ca: ['pem'] };
const pinned: ClientPolicy = { mode: 'require', ca: [] };
const off: ClientPolicy = { mode: 'off', ca: [] };

describe('judgeClient', () => {
  test.each([
    ['require', 'trusted', require, undefined],
    ['require', 'stranger', require, 'the certificate of O=Org, CN=Ann is not trusted: SELF_SIGNED'],
    ['require', 'none', require, 'the client gave no certificate'],
    ['request', 'stranger', request, undefined],
    ['request', 'none', request, undefined],
    ['require without authorities', 'stranger', pinned, undefined],
    ['require without authorities', 'none', pinned, 'the client gave no certificate'],
    ['off', 'stranger', off, undefined],
  ] as const)('judgeClient: %s, %s', async (_, kind, policy, reason) => {
    const verdict = judgeClient(client(kind), policy, undefined);
    if (reason === undefined) await expect(verdict).resolves.toBeUndefined();
    else await expect(verdict).rejects.toThrow(reason);
  });

  test('judgeClient asks verifyClient where there is something to verify', async () => {
    const asked: unknown[] = [];
    const verify = (ssl: SslDigest, name: string | undefined): boolean => {
      asked.push([ssl.authorized, name]);
      return true;
    };
    await judgeClient(client('trusted'), require, verify);
    await judgeClient(client('stranger'), request, verify);
    await judgeClient(client('none'), request, verify);
    await judgeClient(client('trusted'), off, verify);
    await judgeClient(client('stranger'), require, verify).catch(() => {});
    expect(asked).toEqual([
      [true, 'a'],
      [false, 'a'],
    ]);
  });

  test.each([false, undefined, 'yes', 1])(
    'judgeClient takes nothing but true from verifyClient: %j',
    async (answer) => {
      const error = await judgeClient(client('trusted'), require, async () => answer as boolean).catch(
        (e: unknown) => e,
      );
      expect(CirqueError.is(error) && [error.type, error.source]).toEqual(['InvalidCert', 'Downstream']);
    },
  );
});
