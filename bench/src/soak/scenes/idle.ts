/**
 * Thousands of idle keep-alive connections: what each costs, and whether a new client notices.
 */
import { idleConnections } from '../../measure-idle.ts';
import { answered, exactly, figure } from '../figure.ts';
import type { Lab } from '../lab.ts';
import type { Scene } from '../scene.ts';

const REQUEST = 'GET /1k HTTP/1.1\r\nHost: soak\r\n\r\n';
const REST_MS = 1_000;

async function play(lab: Lab, tls: boolean): Promise<readonly ReturnType<typeof figure>[]> {
  await lab.startProxy({ tls });
  const count = lab.size(idleConnections(lab.stage.maxDescriptors), tls ? 300 : 1_000);
  await lab.pause(lab.size(REST_MS, 200));
  const before = lab.residentBytes();
  const crowd = await lab.crowd({ count, perSecond: tls ? 400 : 2_000, send: REQUEST });
  await lab.pause(lab.size(REST_MS, 500));
  const bytes = (lab.residentBytes() - before) / count;
  const clients = lab.steady({ clients: 5, perSecond: 50, fresh: true });
  const { p99Ms, errors, reasons } = await clients.measure(lab.options.seconds * 500, lab.stage.signal);
  const report = await crowd.report();
  // A small crowd shares the growth of the heap among few.
  const most = lab.options.short ? 100 : tls ? 40 : 8;
  return [
    exactly('connections', answered(report, 200), count),
    exactly('still open', report.open, count),
    figure('per connection', bytes / 1_024, 'KB', { most }),
    figure('p99 of a new client', p99Ms, 'ms', { most: lab.size(tls ? 10 : 5, 1_000) }),
    exactly('errors', errors, 0, reasons.join('; ')),
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
