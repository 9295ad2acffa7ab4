/**
 * Carries out the commands of a transcript that ask a server something, and answers what they would print: a small
 * part of curl, and `printf ... | nc -N`.
 */
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { curl } from './curl.ts';
import { parseCurl } from './curl-command.ts';

/** Runs a command given by its words, in a folder. */
export function ask(words: readonly string[], folder: string): Promise<string> {
  if (words[0] === 'curl') return curl(parseCurl(words.slice(1), folder));
  if (words[0] === 'printf' && words[2] === '|' && words[3] === 'nc' && words[4] === '-N') {
    return netcat(words[1] as string, words[5] as string, Number(words[6]));
  }
  throw new Error(`cannot run: ${words.join(' ')}`);
}

async function netcat(format: string, host: string, port: number): Promise<string> {
  const socket = connect({ host, port });
  socket.end(format.replaceAll('\\n', '\n'));
  return text(socket);
}
