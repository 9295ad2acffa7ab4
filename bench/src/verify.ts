/**
 * Checks that a proxy really forwards before anything is timed: status, every byte of the body, the request's own
 * fields at the origin, and that a second request on the same connection works too.
 */
import { Agent as HttpAgent, type IncomingMessage, request as requestHttp } from 'node:http';
import { Agent as HttpsAgent, request as requestHttps } from 'node:https';
import type { TLSSocket } from 'node:tls';
import type { OriginContent } from './origin.ts';
import { requestFields, type Shape } from './shapes.ts';
import { TLS_CIPHER, TLS_VERSION, usesHttp2 } from './traffic.ts';
import { exchangeHttp2 } from './verify-http2.ts';

export interface Answer {
  readonly status: number | undefined;
  readonly body: Buffer;
  readonly chunked: boolean;
  /** Response fields that the hooks of a row with `editsFields` add and remove. */
  readonly hook: string | undefined;
  readonly server: string | undefined;
}

const TIMEOUT_MS = 10_000;

async function readAnswer(message: IncomingMessage): Promise<Answer> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  const { headers, statusCode: status } = message;
  const chunked = headers['transfer-encoding'] === 'chunked';
  const hook = headers['x-bench-hook']?.toString();
  return { status, body: Buffer.concat(chunks), chunked, hook, server: headers.server?.toString() };
}

function send(port: number, path: string, shape: Shape, agent: HttpAgent): Promise<Answer> {
  const request = shape.client === 'https' ? requestHttps : requestHttp;
  return new Promise((resolve, reject) => {
    const body = shape.postBytes > 0 ? Buffer.alloc(shape.postBytes, 'b') : undefined;
    const outgoing = request({
      host: '127.0.0.1',
      port,
      path,
      agent,
      method: body === undefined ? 'GET' : 'POST',
      headers: {
        ...Object.fromEntries(requestFields(shape)),
        ...(body === undefined ? {} : { 'Content-Length': body.length }),
      },
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    outgoing.once('error', reject);
    outgoing.once('response', (message) => {
      if (shape.client === 'https') checkTls(message.socket as TLSSocket);
      readAnswer(message).then(resolve, reject);
    });
    outgoing.end(body);
  });
}

/** What `/check` must answer when every field of the shape arrived; see CHECK_ANSWER in `origin.ts`. */
export function expectedCheck(shape: Shape, editsFields: boolean): string {
  const fields = new Map(requestFields(shape));
  const method = shape.postBytes > 0 ? 'POST' : 'GET';
  const length = shape.postBytes > 0 ? String(shape.postBytes) : '';
  const agent = fields.get('User-Agent') ?? '';
  const cookie = fields.get('Cookie') ?? '';
  const hooks = editsFields ? 'seen,added' : ',';
  return `method=${method};uri=/check?a=1&b=%2F;length=${length};agent=${agent};cookie=${cookie};hooks=${hooks}`;
}

function explain(what: string, expected: string, got: string): Error {
  return new Error(`wrong answer before timing: ${what}: expected ${expected}, got ${got}`);
}

function checkAnswer(answer: Answer, shape: Shape, content: OriginContent, editsFields: boolean): void {
  const expected = content.bodies.get(shape.path);
  if (expected === undefined) throw new RangeError(`the origin has no ${shape.path}`);
  if (answer.status !== 200) throw explain('status', '200', String(answer.status));
  if (!answer.body.equals(expected)) {
    throw explain('body', `${expected.length} known bytes`, `${answer.body.length} bytes that differ`);
  }
  if (editsFields && (answer.hook !== 'added' || answer.server !== undefined)) {
    throw explain('response fields', 'X-Bench-Hook: added and no Server', JSON.stringify([answer.hook, answer.server]));
  }
  if (shape.path === '/chunked' && !answer.chunked) throw explain('framing', 'chunked', 'a length');
}

function requireCheck(check: Answer, shape: Shape, editsFields: boolean): void {
  const expected = expectedCheck(shape, editsFields);
  const got = check.body.toString('latin1');
  if (got !== expected) throw explain('the request at the origin', expected, got);
}

/** Nobody wins by weaker cryptography. */
function checkTls(socket: TLSSocket): void {
  const got = `${socket.getProtocol()} ${socket.getCipher().name}`;
  const expected = `${TLS_VERSION} ${TLS_CIPHER}`;
  if (got !== expected) socket.destroy(explain('TLS', expected, got));
}

/**
 * Sends three requests over one connection (as far as the shape keeps it) and compares the answers.
 *
 * `editsFields`: the edits of `subjects/five-hooks.ts` must have arrived on both sides.
 */
export async function verifyProxy(
  port: number,
  shape: Shape,
  content: OriginContent,
  editsFields: boolean,
): Promise<void> {
  if (usesHttp2(shape.client)) {
    const paths = [shape.path, '/check?a=1&b=%2F', shape.path];
    const [first, check, second] = (await exchangeHttp2(port, shape, paths)) as [Answer, Answer, Answer];
    checkAnswer(first, shape, content, editsFields);
    requireCheck(check, shape, editsFields);
    checkAnswer(second, shape, content, editsFields);
    return;
  }
  const options = { keepAlive: true, maxSockets: 1 };
  const agent =
    shape.client === 'https' ? new HttpsAgent({ ...options, rejectUnauthorized: false }) : new HttpAgent(options);
  try {
    checkAnswer(await send(port, shape.path, shape, agent), shape, content, editsFields);
    requireCheck(await send(port, '/check?a=1&b=%2F', shape, agent), shape, editsFields);
    checkAnswer(await send(port, shape.path, shape, agent), shape, content, editsFields);
  } finally {
    agent.destroy();
  }
}
