/**
 * Files with mistakes, each beside the message that it must give: broken/x.yaml and broken/x.txt.
 *
 * With UPDATE=1 the messages are written anew; read them before they are committed.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { GatewayConfigError, gatewayConfigFromText } from '../src/index.ts';

const folder = fileURLToPath(new URL('broken/', import.meta.url));
const names = readdirSync(folder).flatMap((file) => (file.endsWith('.yaml') ? [file.slice(0, -'.yaml'.length)] : []));
const env = { SECRET: 'hunter2', EMPTY: '', NUMBER: '5', LIST: '[10.0.0.0/8]' };

function messageOf(name: string): string {
  try {
    gatewayConfigFromText(readFileSync(`${folder}${name}.yaml`, 'utf8'), `${name}.yaml`, { env });
    return 'it was accepted';
  } catch (error) {
    expect(error).toBeInstanceOf(GatewayConfigError);
    return `${(error as Error).message}\n`;
  }
}

test('gatewayConfigFromText has a corpus of mistakes', () => {
  expect(names.length).toBeGreaterThanOrEqual(80);
});

test.each(names)('gatewayConfigFromText says what is wrong with broken/%s.yaml', (name) => {
  const message = messageOf(name);
  if (process.env.UPDATE === '1') writeFileSync(`${folder}${name}.txt`, message);
  expect(message).toBe(readFileSync(`${folder}${name}.txt`, 'utf8'));
  expect(message).not.toContain('hunter2');
  for (const line of message.trimEnd().split('\n')) expect(line).toMatch(/^[\w-]+\.yaml:[1-9]\d*:[1-9]\d*: \S/);
});
