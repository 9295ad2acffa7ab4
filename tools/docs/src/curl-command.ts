/**
 * The command line of curl, as far as our pages use it. Unknown options are errors, so that no command is checked only
 * in part.
 */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

/** What a command asks for. */
export interface CurlCommand {
  readonly secure: boolean;
  readonly hostname: string;
  readonly port: string;
  /** Path and query, as they were written. */
  readonly path: string;
  /** Where to connect to. */
  readonly address: string;
  readonly method: string;
  readonly fields: readonly (readonly [name: string, value: string])[];
  readonly data: string | undefined;
  /** HTTP/2 where the server has it (TLS), or at any rate (plaintext). */
  readonly http2: boolean;
  /** Show the head of the response. */
  readonly head: boolean;
  /** Say nothing when it fails. */
  readonly silent: boolean;
  /** Decode the body. */
  readonly compressed: boolean;
  readonly tls: Readonly<Record<'ca' | 'cert' | 'key', string | undefined>>;
}

const FLAGS = ['-i', '-I', '-s', '--compressed', '--path-as-is', '--http1.1', '--http2', '--http2-prior-knowledge'];
const ONCE = ['-X', '-d', '--cacert', '--cert', '--key', '--resolve'];
const OFTEN = ['-H'];

type Words = ReadonlyMap<string, readonly string[]>;

/** Reads the words after `curl`, and the files they name. @throws Error naming what is not known here. */
export function parseCurl(words: readonly string[], folder: string): CurlCommand {
  const given = sort(words);
  const url = given.get('url')?.[0] ?? '';
  const [, scheme, hostname, port, path] = /^(https?):\/\/([^:/]+):(\d+)(\/.*)$/.exec(url) ?? [];
  if (hostname === undefined || port === undefined || path === undefined) {
    throw new Error(`expected http://host:port/path, got ${url}`);
  }
  if (!given.has('--path-as-is') && /\/\.{1,2}(?:\/|$)/.test(path)) {
    throw new Error(`curl would change ${path}: add --path-as-is`);
  }
  const secure = scheme === 'https';
  const where = { secure, hostname, port, path, address: addressOf(`${hostname}:${port}:`, hostname, given) };
  const http2 = given.has('--http2-prior-knowledge') || (secure && !given.has('--http1.1'));
  const pem = (option: string): string | undefined => fileOf(given.get(option)?.[0], folder);
  const tls = { ca: pem('--cacert'), cert: pem('--cert'), key: pem('--key') };
  const [head, silent] = [given.has('-i') || given.has('-I'), given.has('-s')];
  return { ...where, ...whatOf(given), http2, head, silent, compressed: given.has('--compressed'), tls };
}

/** By option, the URL under `url`. */
function sort(words: readonly string[]): Words {
  const given = new Map<string, string[]>();
  for (let at = 0; at < words.length; at++) {
    const word = words[at] as string;
    const name = /^https?:\/\//.test(word) ? 'url' : word;
    const hasValue = ONCE.includes(name) || OFTEN.includes(name);
    if (name !== 'url' && !hasValue && !FLAGS.includes(name)) throw unknownPart(word);
    if (given.has(name) && !OFTEN.includes(name)) throw unknownPart(`${name} twice`);
    const value = name === 'url' ? word : hasValue ? (words[++at] ?? '') : '';
    given.set(name, [...(given.get(name) ?? []), value]);
  }
  return given;
}

function whatOf(given: Words): Pick<CurlCommand, 'method' | 'fields' | 'data'> {
  const data = given.get('-d')?.[0];
  const usual = given.has('-I') ? 'HEAD' : data === undefined ? 'GET' : 'POST';
  const fields = (given.get('-H') ?? []).map((line) => {
    const [, name = line, value = ''] = /^([^:]+):\s*(.*)$/.exec(line) ?? [];
    return [name, value] as const;
  });
  return { method: given.get('-X')?.[0] ?? usual, fields, data };
}

/** What `--resolve host:port:address` says of the host. */
function addressOf(prefix: string, hostname: string, given: Words): string {
  const entry = given.get('--resolve')?.[0] ?? '';
  return entry.startsWith(prefix) ? entry.slice(prefix.length) : hostname;
}

function fileOf(path: string | undefined, folder: string): string | undefined {
  return path === undefined ? undefined : readFileSync(resolve(folder, path), 'utf8');
}

function unknownPart(word: string): Error {
  return new Error(`this part of curl is not known here: ${word}`);
}
