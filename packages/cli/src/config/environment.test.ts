// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are the variables of a configuration file.
import { describe, expect, test } from 'vitest';
import { parseDocument } from 'yaml';
import { substituteEnvironment } from './environment.ts';

const env = {
  NAME: 'value',
  PORT: '8080',
  ON: 'true',
  EMPTY: '',
  BRACES: '${PORT}',
  YAML: '[a, b]',
  NOTHING: 'null',
  HEX: '0x10',
};

function substituted(text: string): { value: unknown; problems: string[] } {
  const document = parseDocument(text);
  const problems: string[] = [];
  substituteEnvironment(document, env, (_node, _ancestors, message) => problems.push(message));
  return { value: document.toJS(), problems };
}

describe('substituteEnvironment', () => {
  test.each<[string, unknown]>([
    ['${NAME}', 'value'],
    ['a-${NAME}-${NAME}', 'a-value-value'],
    ['"${NAME}"', 'value'],
    ['${PORT}', 8080],
    ['"${PORT}"', '8080'],
    ["'${PORT}'", '8080'],
    [':${PORT}', ':8080'],
    ['1${PORT}', 18080],
    ['${ON}', true],
    ['${HEX}', 16],
    ['${NOTHING}', 'null'],
    ['${YAML}', '[a, b]'],
    ['${BRACES}', '${PORT}'],
    ['${EMPTY}', ''],
    ['${EMPTY:-x}', 'x'],
    ['${UNSET:-x}', 'x'],
    ['${UNSET:-}', ''],
    ['${UNSET:-5}', 5],
    ['${UNSET:-a:-b}', 'a:-b'],
    ['${NAME:-x}', 'value'],
    ['$${NAME}', '${NAME}'],
    ['"$${UNSET}"', '${UNSET}'],
    ['${client_ip}', '${client_ip}'],
    ['$${client_ip}', '$${client_ip}'],
    ['https://${host}${path}', 'https://${host}${path}'],
    ['${Mixed}', '${Mixed}'],
    ['$NAME', '$NAME'],
    ['["${PORT}", "${ON}"]', ['8080', 'true']],
    ['${NAMEx}', '${NAMEx}'],
    ['a: ${PORT}', { a: 8080 }],
    ['"${NAME}": 1', { '${NAME}': 1 }],
    ['a: &x ${PORT}\nb: *x', { a: 8080, b: 8080 }],
    ['|\n  ${PORT}\n', '8080\n'],
  ])('substituteEnvironment of %j gives %j', (text, value) => {
    expect(substituted(text)).toEqual({ value, problems: [] });
  });

  test.each([
    ['${UNSET}', 'needs the environment variable UNSET, which is not set: set it, or write ${UNSET:-default}'],
    ['"${NAME"', 'has ${NAME without its closing brace'],
    ['"${NAME:+x}"', 'has a variable of another form: write ${NAME} or ${NAME:-default}'],
    ['"${toString}${constructor}${CONSTRUCTOR}"', /needs the environment variable CONSTRUCTOR/],
  ])('substituteEnvironment reports %j', (text, message) => {
    expect(substituted(text).problems).toEqual([
      typeof message === 'string' ? message : expect.stringMatching(message),
    ]);
  });

  test('substituteEnvironment tells which scalars come from the environment, and which have failed', () => {
    const document = parseDocument('a: ${NAME}\nb: plain\nc: ${UNSET}\n');
    const { substituted: done, failed } = substituteEnvironment(document, env, () => {});
    expect([...done.values()]).toEqual(['${NAME}']);
    expect([...failed]).toEqual([document.get('c', true)]);
  });
});
