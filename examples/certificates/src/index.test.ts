import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ensureCertificates } from './index.ts';

const WANTED = { site: { names: ['site.example'] }, alice: { commonName: 'alice', clientAuth: true } };

let scratch: string;
let folder: string;

beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), 'certificates-'));
  folder = join(scratch, 'made', 'here');
});
afterEach(() => rmSync(scratch, { recursive: true }));

function read(path: string): X509Certificate {
  return new X509Certificate(readFileSync(path));
}

test('ensureCertificates makes an authority and what it issues, and nothing else', () => {
  const { caFile, files } = ensureCertificates(folder, WANTED);
  const ca = read(caFile);
  expect(read(files.site.certFile).subjectAltName).toBe('DNS:site.example');
  expect(read(files.site.certFile).verify(ca.publicKey)).toBe(true);
  expect(read(files.alice.certFile).subject).toBe('CN=alice');
  expect(readdirSync(folder).sort()).toEqual(['alice.key', 'alice.pem', 'ca.pem', 'site.key', 'site.pem']);
  expect(readdirSync(join(scratch, 'made'))).toEqual(['here']);
});

test.skipIf(process.platform === 'win32')('ensureCertificates keeps keys from others', () => {
  const { files } = ensureCertificates(folder, WANTED);
  expect(statSync(files.site.keyFile).mode & 0o077).toBe(0);
});

test('ensureCertificates keeps what is there, unless it is asked to renew', () => {
  const serial = (): string => read(ensureCertificates(folder, WANTED).files.site.certFile).serialNumber;
  const first = serial();
  expect(serial()).toBe(first);
  ensureCertificates(folder, WANTED, true);
  expect(serial()).not.toBe(first);
});

test('ensureCertificates makes all anew when one is missing, damaged or has expired', () => {
  const { caFile, files } = ensureCertificates(folder, WANTED);
  for (const spoil of [
    () => rmSync(files.alice.keyFile),
    () => writeFileSync(files.alice.certFile, 'nonsense'),
    () => ensureCertificates(folder, { ...WANTED, alice: { commonName: 'alice', expired: true } }, true),
  ]) {
    spoil();
    const before = readFileSync(caFile, 'utf8');
    ensureCertificates(folder, WANTED);
    expect(readFileSync(caFile, 'utf8')).not.toBe(before);
    expect(read(files.alice.certFile).verify(read(caFile).publicKey)).toBe(true);
    expect(Date.parse(read(files.alice.certFile).validTo)).toBeGreaterThan(Date.now());
  }
});
