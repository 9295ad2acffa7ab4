/**
 * What clients do once: connect, ask, compare the answer, leave. Each answers the name of the server, or rejects with what went
 * wrong.
 */
import { createSocket } from 'node:dgram';
import { request } from 'node:http';
import { connect } from 'node:net';

/** Nobody waits longer than this, however busy the machine is. */
export const PATIENCE_MS = 15_000;

/** With {@link MortalServer.echo}: the greeting, an echo, and an orderly end on both sides. */
export function tcpExchange(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    let seen = '';
    let name: string | undefined;
    socket.setTimeout(PATIENCE_MS, () => socket.destroy(new Error(`tcp: silence after ${JSON.stringify(seen)}`)));
    socket.on('connect', () => socket.write('ping\n'));
    socket.setEncoding('utf8').on('data', (text: string) => {
      seen += text;
      name ??= /^(\S+)\nping\n$/.exec(seen)?.[1];
      if (name !== undefined) socket.end();
    });
    socket.on('error', (error) => reject(new Error(`tcp: ${error.message}`)));
    socket.on('close', () => {
      if (name === undefined) reject(new Error(`tcp: closed after ${JSON.stringify(seen)}`));
      else resolve(name);
    });
  });
}

/** A GET on a connection of its own; anything but 200 is a failure. */
export function httpExchange(port: number, path = '/'): Promise<string> {
  return new Promise((resolve, reject) => {
    const asked = request({ port, host: '127.0.0.1', path, agent: false }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (text: string) => {
        body += text;
      });
      response.on('error', reject);
      response.on('end', () => {
        if (response.statusCode === 200) resolve(body);
        else reject(new Error(`http: ${response.statusCode} ${body}`));
      });
    });
    asked.setTimeout(PATIENCE_MS, () => asked.destroy(new Error('silence')));
    asked.on('error', (error) => reject(new Error(`http: ${error.message}`))).end();
  });
}

let flows = 0;

/** A flow of its own with one datagram, which is sent once. */
export function udpExchange(port: number): Promise<string> {
  flows += 1;
  const question = `flow ${flows}`;
  return new Promise((resolve, reject) => {
    const socket = createSocket('udp4');
    const fail = (message: string): void => {
      clearTimeout(timer);
      socket.close();
      reject(new Error(`udp: ${message}`));
    };
    const timer = setTimeout(() => fail(`no answer to ${question}`), PATIENCE_MS);
    socket.on('error', ({ message }) => fail(message));
    socket.on('message', (bytes) => {
      const [name = '', ...echo] = bytes.toString().split(' ');
      if (echo.join(' ') !== question) return fail(`${bytes} came for ${question}`);
      clearTimeout(timer);
      socket.close();
      resolve(name);
    });
    socket.connect(port, '127.0.0.1', () => socket.send(question));
  });
}
