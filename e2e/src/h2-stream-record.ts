/**
 * What came on one stream, and whether it may come: order of frames, fields of heads, length of the body.
 *
 * Judges what the proxy sends, as a server (responses) or as a client (requests), by RFC 9113 section 8.
 */
import type { H2Field } from './h2-hpack.ts';

export type Sender = 'server' | 'client';

const CONNECTION_FIELDS = ['connection', 'proxy-connection', 'keep-alive', 'transfer-encoding', 'upgrade'];
const PSEUDO: Readonly<Record<Sender, readonly string[]>> = {
  server: [':status'],
  client: [':method', ':scheme', ':authority', ':path', ':protocol'],
};
const NAME = /^:?[!#$%&'*+\-.^_`|~0-9a-z]+$/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are exactly the characters that may not occur.
const BAD_VALUE = /[\x00\r\n]|^[ \t]|[ \t]$/;

export class H2StreamRecord {
  readonly id: number;
  /** 1xx heads, in their order. */
  readonly interim: (readonly H2Field[])[] = [];
  /** The final head. */
  head: readonly H2Field[] | undefined;
  trailers: readonly H2Field[] | undefined;
  readonly #body: Buffer[] = [];
  bodySize = 0;
  /** END_STREAM came. */
  ended = false;
  /** The code of the RST_STREAM that came. */
  reset: number | undefined;
  /** The request of this stream was HEAD: its answer has no body whatever it says. */
  isHead = false;
  readonly #sender: Sender;
  readonly #odd: (what: string) => void;

  constructor(id: number, sender: Sender, odd: (what: string) => void) {
    this.id = id;
    this.#sender = sender;
    this.#odd = (what) => odd(`stream ${id}: ${what}`);
  }

  get body(): Buffer {
    return Buffer.concat(this.#body);
  }

  get status(): number | undefined {
    const value = this.head === undefined ? undefined : fieldOf(this.head, ':status');
    return value === undefined ? undefined : Number(value);
  }

  /** Nothing more can come. */
  get isOver(): boolean {
    return this.ended || this.reset !== undefined;
  }

  onHeaders(fields: readonly H2Field[], end: boolean): void {
    this.#expectOpen('HEADERS');
    if (this.head !== undefined) this.#onTrailers(fields, end);
    else if (this.#sender === 'server' && /^1\d\d$/.test(fieldOf(fields, ':status') ?? '')) {
      if (end) this.#odd('interim head with END_STREAM');
      this.#judgeFields(fields, true);
      this.interim.push(fields);
    } else {
      this.#judgeFields(fields, true);
      this.#judgePseudo(fields);
      this.head = fields;
    }
    if (end) this.#end();
  }

  onData(octets: Buffer, end: boolean): void {
    this.#expectOpen('DATA');
    if (this.head === undefined) this.#odd('DATA before the head');
    if (this.trailers !== undefined) this.#odd('DATA after the trailers');
    this.#body.push(octets);
    this.bodySize += octets.length;
    if (end) this.#end();
  }

  onReset(code: number): void {
    if (this.reset !== undefined) this.#odd('RST_STREAM twice');
    this.reset = code;
  }

  #onTrailers(fields: readonly H2Field[], end: boolean): void {
    if (!end) this.#odd('trailers without END_STREAM');
    this.#judgeFields(fields, false);
    this.trailers = fields;
  }

  #expectOpen(what: string): void {
    if (this.ended) this.#odd(`${what} after END_STREAM`);
    if (this.reset !== undefined) this.#odd(`${what} after RST_STREAM`);
  }

  #end(): void {
    this.ended = true;
    const length = this.head === undefined ? undefined : fieldOf(this.head, 'content-length');
    const hasNone = this.isHead || this.status === 304;
    if (length !== undefined && !hasNone && Number(length) !== this.bodySize) {
      this.#odd(`content-length ${length}, body of ${this.bodySize} octets`);
    }
  }

  #judgeFields(fields: readonly H2Field[], allowsPseudo: boolean): void {
    let regular = false;
    const seen = new Set<string>();
    for (const [name, value] of fields) {
      if (!NAME.test(name)) this.#odd(`field name ${JSON.stringify(name)}`);
      if (BAD_VALUE.test(value)) this.#odd(`value of ${name}: ${JSON.stringify(value)}`);
      if (CONNECTION_FIELDS.includes(name)) this.#odd(`connection-specific field ${name}`);
      if (name === 'te' && value !== 'trailers') this.#odd(`te: ${value}`);
      if (!name.startsWith(':')) regular = true;
      else if (!allowsPseudo || !PSEUDO[this.#sender].includes(name)) this.#odd(`pseudo-header field ${name}`);
      else if (regular) this.#odd(`${name} after a regular field`);
      else if (seen.has(name)) this.#odd(`${name} twice`);
      seen.add(name);
    }
  }

  #judgePseudo(fields: readonly H2Field[]): void {
    const given = (name: string): string | undefined => fieldOf(fields, name);
    if (this.#sender === 'server') {
      if (!/^[2-5]\d\d$/.test(given(':status') ?? '')) this.#odd(`:status ${given(':status')}`);
      return;
    }
    const method = given(':method');
    if (!method) this.#odd('no :method');
    if (method === 'CONNECT' && given(':protocol') === undefined) return;
    if (!given(':scheme')) this.#odd('no :scheme');
    const path = given(':path') ?? '';
    if (!path.startsWith('/') && !(method === 'OPTIONS' && path === '*')) this.#odd(`:path ${path}`);
    if (given(':authority') === undefined) this.#odd('no :authority');
    if (given('host') !== undefined && given('host') !== given(':authority')) this.#odd('host differs from :authority');
  }
}

/** The first value of a field. */
export function fieldOf(fields: readonly H2Field[], name: string): string | undefined {
  return fields.find((field) => field[0] === name)?.[1];
}

/** All values of a field. */
export function valuesOf(fields: readonly H2Field[], name: string): string[] {
  return fields.filter((field) => field[0] === name).map((field) => field[1]);
}
