/**
 * More connections than the proxy may have: who is turned away, how, and whether those that are there notice.
 */
import { answered, exactly, type Figure, figure, timed } from '../figure.ts';
import type { Lab } from '../lab.ts';
import type { Scene } from '../scene.ts';

const LIMIT = 100;
const HEALTHY = 10;
const REQUEST = 'GET /1k HTTP/1.1\r\nHost: soak\r\n\r\n';
/** A client that is turned away must know it by then. */
const PATIENCE_MS = 2_000;
const PATIENCE_SHORT_MS = 10_000;
const OTHER_CLIENT = '127.0.0.2';

/** Comes at once, while the limit is used up, and answers how it was received. */
async function knock(lab: Lab, from?: string): Promise<readonly Figure[]> {
  const count = lab.size(400, 150);
  const crowd = await lab.crowd({
    count,
    perSecond: lab.size(200, 150),
    send: REQUEST,
    ...(from === undefined ? {} : { from }),
  });
  const report = await crowd.until(({ waiting }) => waiting === 0, lab.size(PATIENCE_MS, PATIENCE_SHORT_MS));
  await crowd.leave();
  const told = answered(report, 503);
  return [
    figure('turned away with 503', told, `of ${count}`),
    figure('closed without answer', report.closedUnanswered + report.refused, `of ${count}`),
    figure('served beyond the limit', answered(report, 200), '', { most: 0 }),
    exactly('left waiting', report.waiting, 0, JSON.stringify(report)),
  ];
}

export const ACCEPT_LIMIT: Scene = {
  name: 'accept-limit',
  title: '100 connections allowed and used, 400 more clients come',
  async play(lab) {
    await lab.startProxy({ maxConnections: LIMIT });
    const clients = lab.steady({ clients: HEALTHY, perSecond: 200 });
    await clients.measure(500, lab.stage.signal);
    const holders = await lab.crowd({ count: LIMIT - HEALTHY, perSecond: 500, send: REQUEST });
    await lab.pause(300);
    clients.reset();
    const figures = await knock(lab);
    const { errors, reasons, p99Ms } = clients.seen();
    const { open, begun } = await holders.report();
    return [
      ...figures,
      exactly('idle ones inside that were closed', begun - open, 0),
      timed('p99 of those inside', p99Ms, { most: lab.size(20, 1_000) }),
      exactly('errors of those inside', errors, 0, reasons.join('; ')),
      ...(await lab.leftovers()),
    ];
  },
};

export const CLIENT_LIMIT: Scene = {
  name: 'client-limit',
  title: '20 connections allowed per client and used by one, which comes 400 times more; the others go on',
  async play(lab) {
    await lab.startProxy({ maxConnectionsPerClient: 20 });
    const clients = lab.steady({ clients: HEALTHY, perSecond: 200 });
    await clients.measure(500, lab.stage.signal);
    const holders = await lab.crowd({ count: 20, perSecond: 200, send: REQUEST, from: OTHER_CLIENT });
    await lab.pause(300);
    const held = await holders.report();
    clients.reset();
    const figures = await knock(lab, OTHER_CLIENT);
    const { errors, reasons } = clients.seen();
    return [
      exactly('served within the limit', answered(held, 200), 20),
      ...figures,
      exactly('errors of other clients', errors, 0, reasons.join('; ')),
      ...(await lab.leftovers()),
    ];
  },
};
