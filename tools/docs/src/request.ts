/**
 * Carries out the commands of a transcript that ask a server something, and answers what they would print: a small
 * part of curl, `printf ... | nc -N`, and `printf ... | nc -u -w 1`.
 */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { curl } from './curl.ts';
import { parseCurl } from './curl-command.ts';
import { PATIENCE_MS } from './line-watch.ts';

/** Runs a command given by its words, in a folder. */
export function ask(words: readonly string[], folder: string): Promise<string> {
  if (words[0] === 'curl') return curl(parseCurl(words.slice(1), folder));
  if (words[0] === 'printf' && words[2] === '|' && words[3] === 'nc' && words[4] === '-N') {
    return netcat(words[1] as string, words[5] as string, Number(words[6]));
  }
  if (words[0] === 'printf' && words.slice(2, 7).join(' ') === '| nc -u -w 1') {
    return datagram(words[1] as string, words[7] as string, Number(words[8]));
  }
  throw new Error(`cannot run: ${words.join(' ')}`);
}

async function netcat(format: string, host: string, port: number): Promise<string> {
  const socket = connect({ host, port });
  socket.end(format.replaceAll('\\n', '\n'));
  return text(socket);
}

/** One datagram there, and the first one that comes back. */
async function datagram(format: string, host: string, port: number): Promise<string> {
  const socket = createSocket('udp4');
  try {
    socket.send(format.replaceAll('\\n', '\n'), port, host);
    const [answer] = (await once(socket, 'message', { signal: AbortSignal.timeout(PATIENCE_MS) })) as [Buffer];
    return answer.toString();
  } finally {
    socket.close();
  }
}
