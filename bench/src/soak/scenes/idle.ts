/**
 * Thousands of idle keep-alive connections: what each costs, and whether a new client notices.
 */
import { idleConnections } from '../../measure-idle.ts';
import { answered, exactly, type Figure, figure, healthyFigures } from '../figure.ts';
import type { Lab } from '../lab.ts';
import type { Scene } from '../scene.ts';

const REQUEST = 'GET /1k HTTP/1.1\r\nHost: soak\r\n\r\n';
const REST_MS = 500;
const ANSWER_MS = 10_000;

/** What a bare server on node:tls needs for each is 54 KB; nearly all of it belongs to OpenSSL and Node's buffers for it. */
const MOST_KB = { plain: 8, tls: 60 };

async function play(lab: Lab, tls: boolean): Promise<readonly Figure[]> {
  await lab.startProxy({ tls });
  const count = lab.size(idleConnections(lab.stage.maxDescriptors), tls ? 300 : 1_000);
  const newcomers = { clients: 5, perSecond: 50, fresh: true };
  const strangers = lab.steady(newcomers);
  const before = await lab.alone(strangers);
  await strangers.stop();
  const resident = lab.residentBytes();
  const crowd = await lab.crowd({ count, perSecond: tls ? 400 : 2_000, send: REQUEST });
  await crowd.until(({ waiting }) => waiting === 0, ANSWER_MS);
  await lab.pause(REST_MS);
  const bytes = (lab.residentBytes() - resident) / count;
  const clients = lab.steady(newcomers);
  const during = await clients.measure(lab.options.seconds * 500, lab.stage.signal);
  const report = await crowd.report();
  // A small crowd shares the growth of the heap among few.
  const most = lab.options.short ? 100 : tls ? MOST_KB.tls : MOST_KB.plain;
  return [
    exactly('connections', answered(report, 200), count),
    exactly('still open', report.open, count),
    figure('memory per connection', bytes / 1_024, 'KB', { most }),
    ...healthyFigures(before, during, lab.size(tls ? 10 : 5, 1_000), 'new clients'),
    ...(await lab.leftovers()),
  ];
}

export const IDLE: Scene = {
  name: 'idle',
  title: '10,000 idle connections, one request each, then new clients',
  play: (lab) => play(lab, false),
};

export const IDLE_TLS: Scene = {
  name: 'idle-tls',
  title: '10,000 idle TLS connections, one request each, then new clients',
  play: (lab) => play(lab, true),
};
