/**
 * Backends in trouble: one that comes and goes, one that accepts and never answers.
 */
import { answered, exactly, figure, healthyFigures, rangeFigures, timed } from '../figure.ts';
import { FlappingOrigin, MuteOrigin } from '../own-origins.ts';
import type { Scene } from '../scene.ts';

/** Answers later than the configured time: the promise of a full run, and what a busy machine is given. */
const LATE_MS = { full: 100, short: 1_500 };
/** Who is not answered then, on however busy a machine, is not answered at all. */
const PATIENCE_MS = 10_000;

export const FLAPPING: Scene = {
  name: 'flapping',
  title: 'two backends, one of which comes and goes each second, 500 requests per second',
  async play(lab) {
    const flapping = lab.keep(await FlappingOrigin.listen(lab.size(1_000, 400)));
    await lab.startProxy({
      routes: { '/': [lab.stage.originPort, flapping.port] },
      healthCheckMs: lab.size(500, 200),
    });
    const clients = lab.steady({ clients: 25, perSecond: 500 });
    const seen = await clients.measure(lab.options.seconds * lab.size(2_500, 2_000), lab.stage.signal);
    const note = seen.reasons.join('; ');
    return [
      figure('requests', seen.requests, '', { least: 500 }),
      figure('falls', flapping.falls, '', { least: 2 }),
      figure('errors', (seen.errors / seen.requests) * 100, '%', { most: lab.size(0.01, 0.1) }, note),
      timed('p99', seen.p99Ms, { most: lab.size(50, 1_000) }),
      ...(await lab.leftovers()),
    ];
  },
};

export const MUTE: Scene = {
  name: 'mute-upstream',
  title: 'an upstream that accepts and never answers: 200 clients ask it, others another one',
  async play(lab) {
    const origin = lab.keep(await MuteOrigin.listen());
    const timeoutMs = lab.size(3_000, 1_000);
    await lab.startProxy({ upstreamTimeoutMs: timeoutMs, routes: { '/mute': [origin.port] } });
    const clients = lab.steady({ clients: 10, perSecond: 400 });
    const before = await lab.alone(clients);
    const resident = lab.residentBytes();
    const count = lab.size(200, 100);
    const late = lab.options.short ? LATE_MS.short : LATE_MS.full;
    const crowd = await lab.crowd({ count, perSecond: 200, send: 'GET /mute HTTP/1.1\r\nHost: soak\r\n\r\n' });
    const report = await crowd.until(({ waiting }) => waiting === 0, timeoutMs + PATIENCE_MS);
    const grown = (lab.residentBytes() - resident) / 2 ** 20;
    return [
      exactly('answered 504', answered(report, 504), count, JSON.stringify(report)),
      ...rangeFigures('504', report.answered, { least: timeoutMs - 100, most: timeoutMs + late }),
      figure('memory more', grown, 'MB', { most: lab.size(16, 48) }),
      exactly('upstream connections left', origin.connections, 0),
      ...healthyFigures(before, clients.seen(), lab.size(5, 1_000)),
      ...(await lab.leftovers()),
    ];
  },
};
