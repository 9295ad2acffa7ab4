import { createPrivateKey } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CirqueError } from '@cirque/error';
import { makeCa } from '@cirque/testing';
import { afterAll, describe, expect, test } from 'vitest';
import { type CertificateOptions, checkCertificateOptions, checkPair, loadCertificate } from './certificate-source.ts';

const ca = makeCa('Root');
const good = ca.issue({ names: ['a.example'] });
const folder = mkdtempSync(join(tmpdir(), 'cirque-certificate-'));
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

describe('checkCertificateOptions', () => {
  test.each<[string, unknown]>([
    ['paths', { certFile: 'a', keyFile: 'b' }],
    ['texts', good],
    ['buffers', { cert: Buffer.from(good.cert), key: Buffer.from(good.key), passphrase: 'x' }],
  ])('checkCertificateOptions accepts %s', (_, options) => {
    expect(() => checkCertificateOptions('certificate', options as CertificateOptions)).not.toThrow();
  });

  test.each<[string, unknown]>([
    ['nothing', undefined],
    ['half of the paths', { certFile: 'a' }],
    ['half of the texts', { cert: good.cert }],
    ['one of each', { certFile: 'a', key: good.key }],
    ['all', { certFile: 'a', keyFile: 'b', ...good }],
    ['one too many', { ...good, keyFile: 'b' }],
    ['empty text', { cert: '', key: '' }],
    ['numbers', { cert: 1, key: 2 }],
  ])('checkCertificateOptions refuses %s', (_, options) => {
    expect(() => checkCertificateOptions('host "a"', options as CertificateOptions)).toThrow(
      'host "a" needs { certFile, keyFile } with paths, or { cert, key } with PEM text',
    );
  });

  test('checkCertificateOptions refuses a passphrase that is no text', () => {
    const options = { ...good, passphrase: 7 } as unknown as CertificateOptions;
    expect(() => checkCertificateOptions('certificate', options)).toThrow(
      'the passphrase of certificate must be a text',
    );
  });
});

describe('loadCertificate', () => {
  test('loadCertificate reads files', async () => {
    const options = { certFile: file('cert', good.cert), keyFile: file('key', good.key) };
    const loaded = await loadCertificate('certificate', options);
    expect([String(loaded.cert), String(loaded.key), loaded.warning]).toEqual([good.cert, good.key, undefined]);
  });

  test('loadCertificate takes chains and encrypted keys', async () => {
    const { cert, key } = ca.issueCa('Middle').issue({ names: ['b.example'] });
    const encrypted = createPrivateKey(key).export({
      type: 'pkcs8',
      format: 'pem',
      cipher: 'aes-256-cbc',
      passphrase: 'open',
    }) as string;
    const options = { certFile: file('chain', cert), keyFile: file('locked', encrypted) };
    expect(await loadCertificate('x', { ...options, passphrase: 'open' })).toMatchObject({ passphrase: 'open' });
    await expect(loadCertificate('x', { ...options, passphrase: 'wrong' })).rejects.toThrow(
      /x \(.*chain\): the key cannot/,
    );
    await expect(loadCertificate('x', options)).rejects.toThrow(/the key cannot be read/);
  });

  test('loadCertificate names the file that is missing', async () => {
    const error = await loadCertificate('the certificate', { certFile: '/nowhere', keyFile: '/else' }).catch((e) => e);
    expect(CirqueError.is(error) && error.type).toBe('TLSConfigError');
    expect(String(error)).toMatch(/the certificate: \/(nowhere|else) cannot be read.*ENOENT/);
  });
});

describe('checkPair', () => {
  test.each([
    ['a key that belongs to another', { cert: good.cert, key: ca.issue({}).key }, /the key does not belong/],
    ['text that is no certificate', { ...good, cert: 'nonsense' }, /the certificate cannot be read/],
    ['text that is no key', { ...good, key: good.cert }, /the key cannot be read/],
  ])('checkPair refuses %s', (_, options, message) => {
    expect(() => checkPair('it', options)).toThrow(message);
  });

  test('checkPair warns of a certificate that has expired', () => {
    const old = ca.issue({ names: ['a.example'], expired: true });
    expect(checkPair('it', old).warning).toMatch(/^it: the certificate has expired \(.*GMT\)$/);
  });
});
