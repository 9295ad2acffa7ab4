/**
 * Child process of the idle measurement: opens many connections, makes one request on each, and keeps them open.
 *
 * Arguments: PORT COUNT PATH. Writes `open N` when all have been answered, `closed N` when asked by a line on stdin
 * (N is how many the proxy has closed since), and ends when stdin ends.
 */
import { connect, type Socket } from 'node:net';

/** Connections being opened at the same time. */
const PARALLEL = 100;

const [port = 0, count = 0] = process.argv.slice(2, 4).map(Number);
const path = process.argv[4] ?? '/';
const request = `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nUser-Agent: idle-clients\r\nAccept: */*\r\n\r\n`;
const sockets: Socket[] = [];
let closed = 0;

/** Resolves when the whole answer is there. */
function openOne(): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1' });
    let text = '';
    socket.setEncoding('latin1');
    socket.on('error', reject);
    socket.on('connect', () => socket.write(request));
    socket.on('close', () => {
      closed++;
      reject(new Error('closed before the answer was complete'));
    });
    socket.on('data', (chunk: string) => {
      text += chunk;
      if (!isComplete(text)) return;
      if (text.startsWith('HTTP/1.1 200 ')) resolve();
      else reject(new Error(`answered ${JSON.stringify(text.slice(0, 40))}`));
    });
    sockets.push(socket);
  });
}

function isComplete(text: string): boolean {
  const end = text.indexOf('\r\n\r\n');
  const length = /^content-length: (\d+)\r$/im.exec(text)?.[1];
  return end !== -1 && length !== undefined && text.length >= end + 4 + Number(length);
}

async function worker(): Promise<void> {
  while (sockets.length < count) await openOne();
}

process.stdin.on('data', () => process.stdout.write(`closed ${closed}\n`));
process.stdin.on('end', () => process.exit(0));
await Promise.all(Array.from({ length: PARALLEL }, worker));
process.stdout.write(`open ${sockets.length}\n`);
