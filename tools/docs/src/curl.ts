/**
 * A small part of curl: one request over HTTP/1.1 or HTTP/2, with or without TLS, and what curl would print.
 */
import { once } from 'node:events';
import { Agent, request as httpRequest, type IncomingMessage } from 'node:http';
import { connect as http2Connect, type IncomingHttpHeaders } from 'node:http2';
import { request as httpsRequest, Agent as TlsAgent } from 'node:https';
import { isIP } from 'node:net';
import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { connect as tlsConnect } from 'node:tls';
import { promisify } from 'node:util';
import { brotliDecompress, gunzip, unzip, zstdDecompress } from 'node:zlib';
import type { CurlCommand } from './curl-command.ts';

interface Answer {
  /** As curl shows it, without the empty line. */
  readonly head: string;
  readonly coding: string;
  readonly body: Buffer;
}

const DECODERS: Readonly<Record<string, (body: Buffer) => Promise<Buffer>>> = {
  gzip: promisify<Buffer, Buffer>(gunzip),
  deflate: promisify<Buffer, Buffer>(unzip),
  br: promisify<Buffer, Buffer>(brotliDecompress),
  zstd: promisify<Buffer, Buffer>(zstdDecompress),
};

/** Runs a command, and answers what it prints. @throws what goes wrong, unless the command is silent. */
export async function curl(command: CurlCommand): Promise<string> {
  let answer: Answer;
  try {
    answer = await (command.http2 ? overHttp2(command) : overHttp1(command));
  } catch (error) {
    if (command.silent) return '';
    throw error;
  }
  const { head, coding, body } = answer;
  const decode = command.compressed ? DECODERS[coding] : undefined;
  const text = (decode === undefined ? body : await decode(body)).toString();
  return command.head ? `${head}\n${text}` : text;
}

async function overHttp1(command: CurlCommand): Promise<Answer> {
  const { secure, address, hostname, port, path, method, data, tls } = command;
  // With an agent the connection stays open, as curl leaves it to the server.
  const agent = secure
    ? new TlsAgent({ keepAlive: true, servername: serverName(hostname), ...tls })
    : new Agent({ keepAlive: true });
  try {
    const headers = [['Host', `${hostname}:${port}`], ...fieldsOf(command)].flat();
    const request = secure ? httpsRequest : httpRequest;
    const call = request({ host: address, port, path, method, agent, headers });
    call.end(data);
    const [response] = (await once(call, 'response')) as [IncomingMessage];
    const coding = response.headers['content-encoding'] ?? '';
    return { head: headOf(response), coding, body: await buffer(response) };
  } finally {
    agent.destroy();
  }
}

function headOf({ httpVersion, statusCode, statusMessage, rawHeaders }: IncomingMessage): string {
  let head = `HTTP/${httpVersion} ${statusCode} ${statusMessage}\n`;
  for (let at = 0; at < rawHeaders.length; at += 2) head += `${rawHeaders[at]}: ${rawHeaders[at + 1]}\n`;
  return head;
}

/** Where the server prefers HTTP/1.1, that it is. */
async function overHttp2(command: CurlCommand): Promise<Answer> {
  const { secure, address, hostname, port, path, method, data, tls } = command;
  const options = {
    host: address,
    port: Number(port),
    servername: serverName(hostname),
    ALPNProtocols: ['h2', 'http/1.1'],
    ...tls,
  };
  const socket = secure ? tlsConnect(options) : undefined;
  if (socket !== undefined) await once(socket, 'secureConnect');
  if (socket !== undefined && socket.alpnProtocol !== 'h2') {
    socket.destroy();
    return overHttp1(command);
  }
  const authority = `${secure ? 'https' : 'http'}://${address}:${port}`;
  const session = http2Connect(authority, socket === undefined ? {} : { createConnection: () => socket });
  session.on('error', () => {}); // the stream hears of it as well
  try {
    const fields = Object.fromEntries(fieldsOf(command));
    const stream = session.request({
      ':method': method,
      ':path': path,
      ':authority': `${hostname}:${port}`,
      ...fields,
    });
    stream.end(data);
    const [headers] = (await once(stream, 'response')) as [IncomingHttpHeaders];
    const lines = Object.entries(headers).filter(([name]) => !name.startsWith(':'));
    const head = `HTTP/2 ${headers[':status']}\n${lines.map(([name, value]) => `${name}: ${value}\n`).join('')}`;
    return { head, coding: headers['content-encoding'] ?? '', body: await buffer(stream as Readable) };
  } finally {
    session.destroy();
  }
}

/** The name that is sent; none for an address, which is looked for in the certificate all the same. */
function serverName(hostname: string): string {
  return isIP(hostname) === 0 ? hostname : '';
}

/** What curl sends by itself, but for what it is told, and that. */
function fieldsOf({ fields, data }: CurlCommand): (readonly [name: string, value: string])[] {
  const own = [
    ['User-Agent', 'curl'],
    ['Accept', '*/*'],
  ] as [string, string][];
  if (data !== undefined) own.push(['Content-Length', String(Buffer.byteLength(data))]);
  if (data !== undefined) own.push(['Content-Type', 'application/x-www-form-urlencoded']);
  const told = new Set(fields.map(([name]) => name.toLowerCase()));
  return [...own.filter(([name]) => !told.has(name.toLowerCase())), ...fields];
}
