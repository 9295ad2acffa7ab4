/**
 * A UDP relay on node:dgram: a connected socket for each client, and nothing that ends a session but its answer.
 *
 * The floor for any proxy on Node's datagram sockets. Takes `--listen HOST:PORT --upstream HOST:PORT --duty udp|udp-one-answer`.
 */
import { createSocket } from 'node:dgram';
import { parseArgs } from 'node:util';

const text = { type: 'string' };
const { values } = parseArgs({ options: { listen: text, upstream: text, second: text, duty: text } });
const split = (address) => {
  const { hostname, port } = new URL(`udp://${address}`);
  return [Number(port), hostname];
};
const upstream = split(values.upstream);
const endsWithAnswer = values.duty === 'udp-one-answer';
const sessions = new Map();
const ignore = () => {};
const ownAddress = (host, _options, done) => done(null, host, 4);

const listener = createSocket({ type: 'udp4', lookup: ownAddress });
listener.on('message', (bytes, { address, port }) => {
  const key = `${address}:${port}`;
  let session = sessions.get(key);
  if (session === undefined) {
    session = createSocket({ type: 'udp4', lookup: ownAddress });
    session.on('error', ignore);
    session.on('message', (answer) => {
      listener.send(answer, port, address, ignore);
      if (!endsWithAnswer) return;
      sessions.delete(key);
      session.close();
    });
    session.waiting = [bytes];
    session.connect(...upstream, () => {
      for (const each of session.waiting) session.send(each, ignore);
      session.waiting = undefined;
    });
    sessions.set(key, session);
  } else if (session.waiting !== undefined) session.waiting.push(bytes);
  else session.send(bytes, ignore);
});
listener.bind(...split(values.listen));
