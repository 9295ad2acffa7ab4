/**
 * Carries out the commands of a transcript that ask a server something, and answers what they would print: a small
 * part of curl, and `printf ... | nc -N`. Unknown options are errors, so that no command is checked only in part.
 */
import { once } from 'node:events';
import { Agent, type IncomingMessage, request } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';

interface CurlCommand {
  url: string;
  method: string | undefined;
  head: boolean;
  asIs: boolean;
  readonly headers: string[];
  data: string | undefined;
}

/** Runs a command given by its words. */
export function ask(words: readonly string[]): Promise<string> {
  if (words[0] === 'curl') return curl(parseCurl(words.slice(1)));
  if (words[0] === 'printf' && words[2] === '|' && words[3] === 'nc' && words[4] === '-N') {
    return netcat(words[1] as string, words[5] as string, Number(words[6]));
  }
  throw new Error(`cannot run: ${words.join(' ')}`);
}

function parseCurl(words: readonly string[]): CurlCommand {
  const command: CurlCommand = { url: '', method: undefined, head: false, asIs: false, headers: [], data: undefined };
  for (let at = 0; at < words.length; at++) {
    const word = words[at] as string;
    if (word === '-i') command.head = true;
    else if (word === '--path-as-is') command.asIs = true;
    else if (word === '-X') command.method = words[++at];
    else if (word === '-H') command.headers.push(words[++at] as string);
    else if (word === '-d') command.data = words[++at];
    else if (word.startsWith('http://') && command.url === '') command.url = word;
    else throw new Error(`this part of curl is not known here: ${word}`);
  }
  return command;
}

async function curl(command: CurlCommand): Promise<string> {
  const [, host, port, path] = /^http:\/\/([^:/]+):(\d+)(\/.*)$/.exec(command.url) ?? [];
  if (path === undefined) throw new Error(`expected http://host:port/path, got ${command.url}`);
  if (!command.asIs && /\/\.{1,2}(?:\/|$)/.test(path)) throw new Error(`curl would change ${path}: add --path-as-is`);
  const fields = [
    ['Host', `${host}:${port}`],
    ['User-Agent', 'curl'],
    ['Accept', '*/*'],
  ].concat(command.headers.map((line) => line.split(/:\s*/, 2)));
  const { data } = command;
  if (data !== undefined) {
    fields.push(['Content-Length', String(Buffer.byteLength(data))]);
    fields.push(['Content-Type', 'application/x-www-form-urlencoded']);
  }
  const method = command.method ?? (data === undefined ? 'GET' : 'POST');
  // With an agent the connection stays open, as curl leaves it to the server.
  const agent = new Agent({ keepAlive: true });
  try {
    const call = request({ host, port, path, method, agent, headers: fields.flat() });
    call.end(data);
    const [response] = (await once(call, 'response')) as [IncomingMessage];
    const body = await text(response);
    return command.head ? `${headOf(response)}\n${body}` : body;
  } finally {
    agent.destroy();
  }
}

function headOf(response: IncomingMessage): string {
  const { httpVersion, statusCode, statusMessage, rawHeaders } = response;
  let head = `HTTP/${httpVersion} ${statusCode} ${statusMessage}\n`;
  for (let at = 0; at < rawHeaders.length; at += 2) head += `${rawHeaders[at]}: ${rawHeaders[at + 1]}\n`;
  return head;
}

async function netcat(format: string, host: string, port: number): Promise<string> {
  const socket = connect({ host, port });
  socket.end(format.replaceAll('\\n', '\n'));
  return text(socket);
}
