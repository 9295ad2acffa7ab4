/**
 * Splits one direction of a connection into messages.
 *
 * The framing rules are those of RFC 9112 section 6.3 without its tolerances: a message that two readers could
 * understand differently is an anomaly, and reading stops there. Requests and responses differ in one function each.
 */
import { type Framing, WireBody } from './wire-body.ts';
import { headLength, parseHead, valuesOf, type WireField, type WireHead } from './wire-head.ts';

/** A message, perhaps still incomplete. */
export interface WireMessage {
  readonly startLine: string;
  readonly fields: readonly WireField[];
  readonly body: WireBody;
}

export interface WireRequest extends WireMessage {
  readonly method: string;
  readonly target: string;
  readonly version: string;
}

export interface WireResponse extends WireMessage {
  readonly version: string;
  readonly status: number;
  readonly reason: string;
}

const TOKEN = "[!#$%&'*+\\-.^_`|~0-9A-Za-z]+";
const REQUEST_LINE = new RegExp(`^(${TOKEN}) ([\\x21-\\x7e]+) (HTTP/1\\.[01])$`);
const STATUS_LINE = /^(HTTP\/1\.[01]) ([1-5][0-9][0-9]) ([\t\x20-\x7e\x80-\xff]*)$/;

/** Framing by the fields alone; a string says why there is none. */
function declaredFraming(fields: readonly WireField[]): Framing | string | undefined {
  const lengths = valuesOf(fields, 'content-length');
  const codings = valuesOf(fields, 'transfer-encoding');
  if (lengths.length > 0 && codings.length > 0) return 'Content-Length beside Transfer-Encoding';
  if (codings.length > 0) {
    const plain = codings.length === 1 && codings[0]?.toLowerCase() === 'chunked';
    return plain ? { kind: 'chunked' } : `Transfer-Encoding ${JSON.stringify(codings)}`;
  }
  if (lengths.length === 0) return undefined;
  const [length = ''] = lengths;
  if (lengths.length > 1 || !/^[0-9]{1,15}$/.test(length)) return `Content-Length ${JSON.stringify(lengths)}`;
  return { kind: 'length', length: Number(length) };
}

abstract class WireReader<M extends WireMessage> {
  /** Complete messages, in order. */
  readonly messages: M[] = [];
  readonly anomalies: string[] = [];
  /** A message whose head is complete and whose body is not. */
  current: M | undefined;
  onHead: ((message: M) => void) | undefined;
  onMessage: ((message: M) => void) | undefined;
  #pending: Buffer = Buffer.alloc(0);

  protected abstract open(head: WireHead): M | string;

  /** True when bytes are left that belong to no complete message. */
  get inside(): boolean {
    return this.current !== undefined || this.#pending.length > 0;
  }

  /** Bytes that are not (yet) a head. */
  get leftover(): Buffer {
    return this.#pending;
  }

  push(bytes: Buffer): void {
    this.#pending = this.#pending.length === 0 ? bytes : Buffer.concat([this.#pending, bytes]);
    while (this.anomalies.length === 0 && this.#advance());
  }

  /** The peer sent its FIN. */
  end(): void {
    this.current?.body.end();
    this.#settle();
  }

  #advance(): boolean {
    if (this.current) {
      this.#pending = this.current.body.push(this.#pending);
      return this.#settle();
    }
    const length = headLength(this.#pending);
    if (length < 0) return false;
    const head = parseHead(this.#pending.subarray(0, length));
    this.#pending = this.#pending.subarray(length);
    this.anomalies.push(...head.anomalies);
    const message = this.open(head);
    if (typeof message === 'string') {
      this.anomalies.push(message);
      return false;
    }
    this.current = message;
    this.onHead?.(message);
    return true;
  }

  #settle(): boolean {
    const message = this.current;
    if (!message) return false;
    this.anomalies.push(...message.body.anomalies);
    if (!message.body.done) return false;
    this.current = undefined;
    this.messages.push(message);
    this.onMessage?.(message);
    return true;
  }
}

export class RequestReader extends WireReader<WireRequest> {
  protected override open(head: WireHead): WireRequest | string {
    const match = REQUEST_LINE.exec(head.startLine);
    if (!match) return `request line outside the grammar: ${JSON.stringify(head.startLine)}`;
    const [, method = '', target = '', version = ''] = match;
    const framing = declaredFraming(head.fields) ?? { kind: 'none' };
    if (typeof framing === 'string') return framing;
    return { startLine: head.startLine, fields: head.fields, method, target, version, body: new WireBody(framing) };
  }
}

export class ResponseReader extends WireReader<WireResponse> {
  /** Methods of the requests still to be answered; when empty, GET is assumed. */
  readonly methods: string[];

  constructor(methods: readonly string[] = []) {
    super();
    this.methods = [...methods];
  }

  protected override open(head: WireHead): WireResponse | string {
    const match = STATUS_LINE.exec(head.startLine);
    if (!match) return `status line outside the grammar: ${JSON.stringify(head.startLine)}`;
    const [, version = '', code = '', reason = ''] = match;
    const status = Number(code);
    const method = status < 200 ? 'GET' : (this.methods.shift() ?? 'GET');
    const framing = this.#framing(status, method, head.fields);
    if (typeof framing === 'string') return framing;
    return { startLine: head.startLine, fields: head.fields, version, status, reason, body: new WireBody(framing) };
  }

  #framing(status: number, method: string, fields: readonly WireField[]): Framing | string {
    if (status < 200 || status === 204) {
      const forbidden = valuesOf(fields, 'content-length').length + valuesOf(fields, 'transfer-encoding').length > 0;
      return forbidden ? `framing field on a ${status}` : { kind: 'none' };
    }
    const declared = declaredFraming(fields);
    if (typeof declared === 'string') return declared;
    return method === 'HEAD' || status === 304 ? { kind: 'none' } : (declared ?? { kind: 'close' });
  }
}
