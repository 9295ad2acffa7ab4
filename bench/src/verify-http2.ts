/**
 * The requests of `verify.ts` over one HTTP/2 connection.
 */
import { connect } from 'node:http2';
import { requestFields, type Shape } from './shapes.ts';
import type { Answer } from './verify.ts';

const TIMEOUT_MS = 10_000;

/** Sends one request after another; answers in their order. */
export async function exchangeHttp2(port: number, shape: Shape, paths: readonly string[]): Promise<Answer[]> {
  const scheme = shape.client === 'h2' ? 'https' : 'http';
  const session = connect(`${scheme}://127.0.0.1:${port}`, { rejectUnauthorized: false });
  const broken = new Promise<never>((_, reject) => session.once('error', reject));
  broken.catch(() => undefined);
  const late = setTimeout(() => session.destroy(new Error(`no answer within ${TIMEOUT_MS} ms`)), TIMEOUT_MS);
  try {
    const answers: Answer[] = [];
    for (const path of paths) answers.push(await Promise.race([broken, ask(session, shape, path)]));
    return answers;
  } finally {
    clearTimeout(late);
    session.destroy();
  }
}

function ask(session: ReturnType<typeof connect>, shape: Shape, path: string): Promise<Answer> {
  const body = shape.postBytes > 0 ? Buffer.alloc(shape.postBytes, 'b') : undefined;
  const fields = requestFields(shape).map(([name, value]) => [name.toLowerCase(), value]);
  const length = body === undefined ? {} : { 'content-length': body.length };
  const method = body === undefined ? 'GET' : 'POST';
  const stream = session.request({ ':method': method, ':path': path, ...Object.fromEntries(fields), ...length });
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let status: number | undefined;
    let fieldsOfAnswer: Record<string, unknown> = {};
    stream.on('response', (headers) => {
      status = headers[':status'];
      fieldsOfAnswer = headers;
    });
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.once('error', reject);
    stream.once('end', () => {
      const hook = fieldsOfAnswer['x-bench-hook']?.toString();
      resolve({ status, body: Buffer.concat(chunks), chunked: true, hook, server: fieldsOfAnswer.server?.toString() });
    });
    stream.end(body);
  });
}
