import { CirqueError } from '@cirque/error';
import type { Peer } from '@cirque/pool';
import { afterEach, describe, expect, test } from 'vitest';
import { MemorySite } from '../../test/memory-site.ts';
import type { StreamOptions } from '../stream-options.ts';
import { StreamPeer } from '../stream-peer.ts';
import { STREAM_PHASES, type StreamPhaseName } from '../stream-phases.ts';
import { defineStream, type StreamPhases, StreamProxy } from '../stream-proxy.ts';
import type { StreamSession } from '../stream-session.ts';

const PEER = new StreamPeer('127.0.0.1:9');
const refused = (): CirqueError => CirqueError.upstream('ConnectRefused', 'connecting to 127.0.0.1:9');

const sites: MemorySite<unknown>[] = [];
afterEach(() => {
  for (const site of sites.splice(0)) site.close();
});

function siteOf<Ctx>(phases: StreamPhases<Ctx>, options?: StreamOptions): MemorySite<Ctx> {
  const site = new MemorySite(phases, options);
  sites.push(site as MemorySite<unknown>);
  return site;
}

/** What ran, with the reason and the error of the end. */
interface Trace {
  readonly calls: string[];
  session?: StreamSession;
}

/** Phases that note their calls and do as they are told. */
function traced(trace: Trace, phases: Partial<StreamPhases<Trace>> = {}): StreamPhases<Trace> {
  const note = <Args extends unknown[], R>(name: string, phase: (...args: Args) => R) => {
    return (...args: Args): R => {
      trace.calls.push(name);
      return phase(...args);
    };
  };
  return {
    newCtx: note('newCtx', phases.newCtx ?? (() => trace)),
    ...(phases.peek === undefined ? {} : { peek: note('peek', phases.peek) }),
    upstreamPeer: note('upstreamPeer', phases.upstreamPeer ?? (() => PEER)),
    ...(phases.failToConnect === undefined ? {} : { failToConnect: note('failToConnect', phases.failToConnect) }),
    ...(phases.connectedToUpstream === undefined
      ? {}
      : { connectedToUpstream: note('connectedToUpstream', phases.connectedToUpstream) }),
    logging(session, error) {
      trace.session = session;
      trace.calls.push(`logging ${session.reason} ${error?.type ?? 'ok'}`);
    },
  };
}

describe('TcpConnection', () => {
  test('runs the phases in the order of the table, and copies both ways', async () => {
    const trace: Trace = { calls: [] };
    const site = siteOf(
      traced(trace, {
        peek: (_session, seen) => (seen.length < 5 ? 'more' : undefined),
        connectedToUpstream: (session, peer, digest) => {
          expect([session.upstream?.address, peer, digest.ssl]).toEqual([PEER.address, PEER, undefined]);
        },
      }),
    );
    const client = site.connect();
    client.write('hel');
    await site.settle();
    client.write('lo');
    await site.settle();
    const [upstream] = site.upstreams;
    expect(upstream?.text).toBe('hello');
    upstream?.write('world');
    client.write('!');
    await site.settle();
    expect([upstream?.text, client.text]).toEqual(['hello!', 'world']);
    client.duplex.end();
    await site.settle();
    expect([upstream?.end, client.end]).toEqual(['end', 'open']);
    upstream?.write(' later');
    await site.settle();
    upstream?.duplex.end();
    await site.settle();
    expect([client.text, client.end]).toEqual(['world later', 'end']);
    expect(trace.calls).toEqual(['newCtx', 'peek', 'peek', 'upstreamPeer', 'connectedToUpstream', 'logging client ok']);
    const { session } = trace;
    expect(session).toMatchObject({
      attempts: 1,
      bytesFromClient: 6,
      bytesToUpstream: 6,
      bytesFromUpstream: 11,
      bytesToClient: 11,
      reason: 'client',
    });
    expect(session?.firstByteMs).toBeLessThanOrEqual(session?.durationMs as number);
    expect(session?.durationMs).toBe(session?.durationMs);
    expect(site.timers).toBe(0);
    expect(site.app.stats().stream).toMatchObject({
      sessions: 1,
      active: 0,
      bytesFromClient: 6,
      bytesToClient: 11,
      ended: { client: 1 },
      upstreams: { '127.0.0.1:9': { connections: 0, connects: 1, connectFailures: 0 } },
    });
  });

  test('goes only where the table of phases says, whatever happens', async () => {
    const follows = (name: string): readonly string[] =>
      STREAM_PHASES.find((row) => row.name === (name as StreamPhaseName))?.next ?? [];
    for (const failing of ['none', 'newCtx', 'peek', 'upstreamPeer', 'connect', 'connectedToUpstream'] as const) {
      const trace: Trace = { calls: [] };
      const act = (name: string): void => {
        if (name === failing) throw new Error(name);
      };
      const site = siteOf(
        traced(trace, {
          newCtx: () => {
            act('newCtx');
            return trace;
          },
          peek: () => act('peek'),
          upstreamPeer: () => {
            act('upstreamPeer');
            return PEER;
          },
          failToConnect: (_session, _peer, _ctx, error) => error.setRetry((trace.session?.attempts ?? 0) > 5),
          connectedToUpstream: () => act('connectedToUpstream'),
        }),
      );
      if (failing === 'connect') site.connects = () => refused();
      const client = site.connect();
      client.write('x');
      await site.settle();
      client.reset();
      await site.settle();
      const names = trace.calls.map((call) => call.split(' ')[0] as string);
      for (const [place, name] of names.entries()) {
        const next = names[place + 1];
        if (next !== undefined) expect(follows(name), `${name} after ${failing}`).toContain(next);
      }
      expect(names.filter((name) => name === 'logging')).toEqual(['logging']);
      expect(names.at(-1)).toBe('logging');
    }
  });

  test('absent phases cost nothing, and no context is undefined', async () => {
    const contexts: unknown[] = [];
    const site = siteOf(
      defineStream({
        upstreamPeer: (_session, ctx) => {
          contexts.push(ctx);
          return PEER;
        },
      }),
    );
    const client = site.connect();
    client.write('x');
    await site.settle();
    expect([contexts, site.upstreams[0]?.text]).toEqual([[undefined], 'x']);
  });

  test('class form: phases see their proxy as this', async () => {
    class Mine extends StreamProxy<{ n: number }> {
      peer: Peer = PEER;
      seen: unknown[] = [];
      override newCtx(): { n: number } {
        return { n: 1 };
      }
      override upstreamPeer(): Peer {
        return this.peer;
      }
      override logging(_session: StreamSession, _error: CirqueError | undefined, ctx: { n: number }): void {
        this.seen.push(ctx);
      }
    }
    const mine = new Mine();
    const site = siteOf(mine);
    site.connect().reset();
    await site.settle();
    expect(mine.seen).toEqual([{ n: 1 }]);
  });

  test('an asynchronous phase is waited for, and the client is kept waiting with what it said', async () => {
    const trace: Trace = { calls: [] };
    const peer = Promise.withResolvers<Peer>();
    const connected = Promise.withResolvers<void>();
    const site = siteOf(
      traced(trace, { upstreamPeer: () => peer.promise, connectedToUpstream: () => connected.promise }),
    );
    const client = site.connect();
    client.write('early');
    await site.settle();
    expect(site.upstreams).toEqual([]);
    peer.resolve(PEER);
    await site.settle();
    expect(site.upstreams[0]?.text).toBe('');
    connected.resolve();
    await site.settle();
    expect(site.upstreams[0]?.text).toBe('early');
  });

  test('what a client says before there is an upstream is bounded', async () => {
    const trace: Trace = { calls: [] };
    let session: StreamSession | undefined;
    const site = siteOf(
      traced(trace, {
        upstreamPeer: (given) => {
          session = given;
          return new Promise(() => {});
        },
      }),
    );
    const client = site.connect();
    for (let piece = 0; piece < 100; piece += 1) client.write('x'.repeat(16_384));
    await site.settle();
    // 16 KiB, and one read.
    expect(session?.bytesFromClient).toBeGreaterThan(16_000);
    expect(session?.bytesFromClient).toBeLessThanOrEqual(16_384 + 65_536);
  });

  test('an answer that is no peer is an error', async () => {
    const trace: Trace = { calls: [] };
    const site = siteOf(traced(trace, { upstreamPeer: () => undefined as unknown as Peer }));
    const client = site.connect();
    await site.settle();
    expect([trace.calls.at(-1), client.end]).toEqual(['logging error InternalError', 'end']);
    expect(site.logs.map(({ message }) => message)).toEqual(['connection failed']);
  });
});

test.each(['at once', 'later'])(
  'TcpConnection: a peer at which the connector throws ends the connection, answered %s',
  async (when) => {
    const ends: (string | undefined)[] = [];
    const site = siteOf({
      newCtx: () => undefined,
      upstreamPeer: () => (when === 'later' ? Promise.resolve(PEER) : PEER),
      logging: (session, error) => void ends.push(session.reason, error?.type),
    });
    site.connects = () => {
      throw new TypeError('this is no peer');
    };
    const client = site.connect();
    await site.settle();
    expect(ends).toEqual(['error', 'InternalError']);
    expect(client.end).not.toBe('open');
    expect(site.app.stats().stream.active).toBe(0);
  },
);

describe('TcpConnection retries', () => {
  test('with another peer when failToConnect says so', async () => {
    const trace: Trace = { calls: [] };
    const peers: string[] = [];
    const site = siteOf(
      traced(trace, {
        upstreamPeer: (session) => new StreamPeer(`127.0.0.1:${session.attempts}`),
        failToConnect: (session, peer, _ctx, error) => {
          peers.push(`${session.attempts} ${JSON.stringify(peer.address)}`);
          return error.setRetry(true);
        },
      }),
    );
    site.connects = ({ address }) => ('port' in address && address.port < 3 ? refused() : 'opened');
    const client = site.connect();
    client.write('x');
    await site.settle();
    expect(site.upstreams[0]?.text).toBe('x');
    expect(peers).toEqual(['1 {"host":"127.0.0.1","port":1}', '2 {"host":"127.0.0.1","port":2}']);
    expect(site.app.stats().stream).toMatchObject({ retries: 2, connectFailures: 2 });
    expect(site.logs.map(({ level, facts, message }) => [level, facts.attempts, message])).toEqual([
      ['warn', 1, 'fail to connect, trying again'],
      ['warn', 2, 'fail to connect, trying again'],
    ]);
  });

  test.each([
    [0, 1],
    [1, 2],
    [3, 4],
  ])('at most maxRetries %d times: %d attempts', async (maxRetries, attempts) => {
    const trace: Trace = { calls: [] };
    const failToConnect = (_s: unknown, _p: unknown, _c: unknown, error: CirqueError): CirqueError =>
      error.setRetry(true);
    const site = siteOf(traced(trace, { failToConnect }), { maxRetries });
    site.connects = () => refused();
    const client = site.connect();
    await site.settle();
    await site.settle();
    expect(trace.session?.attempts).toBe(attempts);
    expect([trace.calls.at(-1), client.end]).toEqual(['logging connect ConnectRefused', 'end']);
  });

  test('not without a word from failToConnect', async () => {
    const trace: Trace = { calls: [] };
    const site = siteOf(traced(trace));
    site.connects = () => refused();
    site.connect();
    await site.settle();
    expect(trace.calls).toEqual(['newCtx', 'upstreamPeer', 'logging connect ConnectRefused']);
  });

  test('when upstreamPeer or connectedToUpstream throws an error that says so', async () => {
    for (const phase of ['upstreamPeer', 'connectedToUpstream'] as const) {
      const trace: Trace = { calls: [] };
      const site = siteOf(
        traced(trace, {
          [phase]: (session: StreamSession) => {
            if (session.attempts < 3) throw CirqueError.internal('InternalError', 'again').setRetry(true);
            return PEER;
          },
        }),
      );
      const client = site.connect();
      client.write('x');
      await site.settle();
      await site.settle();
      expect(site.upstreams.at(-1)?.text).toBe('x');
      expect(trace.calls.filter((call) => call === phase)).toHaveLength(3);
      for (const left of site.upstreams.slice(0, -1)) expect(left.end).toBe('end');
    }
  });

  test('an upstream that was given up is not that of the session any more', async () => {
    const seen: unknown[] = [];
    const site = siteOf({
      newCtx: () => undefined,
      upstreamPeer: (session) => {
        seen.push(session.upstream?.address);
        return PEER;
      },
      connectedToUpstream: (session) => {
        seen.push(session.upstream?.address);
        site.connects = () => CirqueError.upstream('ConnectRefused', 'gone');
        throw CirqueError.internal('InternalError', 'not this one').setRetry(true);
      },
      logging: (session) => void seen.push(session.upstream, session.connectMs, session.reason),
    });
    site.connect();
    await site.settle();
    await site.settle();
    expect(seen).toEqual([undefined, PEER.address, undefined, undefined, undefined, 'connect']);
  });

  test('an attempt that fails at once does not go deeper and deeper', async () => {
    const trace: Trace = { calls: [] };
    const site = siteOf(
      traced(trace, {
        upstreamPeer: () => {
          throw CirqueError.upstream('ConnectNoRoute', 'nobody').setRetry(true);
        },
      }),
      { maxRetries: 20_000 },
    );
    site.connect();
    await site.settle();
    expect([trace.session?.attempts, trace.calls.at(-1)]).toEqual([20_001, 'logging connect ConnectNoRoute']);
  });

  test('failToConnect must answer an error, at once', async () => {
    for (const answer of [Promise.resolve(refused()), 'again'] as unknown[]) {
      const trace: Trace = { calls: [] };
      const site = siteOf(traced(trace, { failToConnect: () => answer as CirqueError }));
      site.connects = () => refused();
      site.connect();
      await site.settle();
      expect(trace.calls.at(-1)).toBe('logging error InternalError');
    }
  });
});

describe('TcpConnection ends', () => {
  test.each(['newCtx', 'peek', 'upstreamPeer', 'connectedToUpstream'] as const)(
    'when %s throws: logging once, the client is closed',
    async (phase) => {
      const trace: Trace = { calls: [] };
      const site = siteOf(
        traced(trace, {
          [phase]: () => {
            throw new Error('mine');
          },
        }),
      );
      const client = site.connect();
      if (phase === 'peek') client.write('x');
      await site.settle();
      expect(trace.calls.at(-1)).toBe('logging error InternalError');
      expect(client.end).toBe('end');
      expect(site.upstreams.map(({ end }) => end)).toEqual(phase === 'connectedToUpstream' ? ['end'] : []);
      expect(site.logs.map(({ level, facts }) => [level, facts.reason])).toEqual([['error', 'error']]);
      expect([site.timers, site.app.stats().stream.active]).toEqual([0, 0]);
    },
  );

  test.each(['newCtx', 'peek'] as const)('when %s answers a promise, which it must not', async (phase) => {
    const trace: Trace = { calls: [] };
    const site = siteOf(
      traced(trace, { [phase]: () => Promise.reject(new Error('late')) } as Partial<StreamPhases<Trace>>),
    );
    site.connect().write('x');
    await site.settle();
    expect(trace.calls.at(-1)).toBe('logging error InternalError');
  });

  test.each(['upstreamPeer', 'connectedToUpstream'] as const)(
    'when %s does not settle within hookTimeoutMs',
    async (phase) => {
      const trace: Trace = { calls: [] };
      const site = siteOf(traced(trace, { [phase]: () => new Promise(() => {}) }), { hookTimeoutMs: 1_000 });
      const client = site.connect();
      await site.advance(990);
      expect(client.end).toBe('open');
      await site.advance(20);
      expect([trace.calls.at(-1), client.end]).toEqual(['logging error InternalError', 'end']);
      expect(site.timers).toBe(0);
    },
  );

  test.each(['upstreamPeer', 'connectedToUpstream'] as const)(
    'when the client is reset while %s is pending: logging comes after the phase',
    async (phase) => {
      const trace: Trace = { calls: [] };
      const answer = Promise.withResolvers<Peer>();
      let aborted = false;
      const site = siteOf(
        traced(trace, {
          [phase]: (session: StreamSession) => {
            session.signal.addEventListener('abort', () => {
              aborted = true;
            });
            return answer.promise;
          },
        }),
      );
      const client = site.connect();
      await site.settle();
      client.reset();
      await site.settle();
      expect([aborted, trace.calls.includes('logging client ReadError')]).toEqual([true, false]);
      answer.resolve(PEER);
      await site.settle();
      expect(trace.calls.filter((call) => call.startsWith('logging'))).toHaveLength(1);
      expect(trace.session?.reason).toBe('client');
      expect(site.upstreams.every(({ end }) => end === 'end')).toBe(true);
      expect(site.app.stats().stream.active).toBe(0);
    },
  );

  test('when the client is reset while a connection is being opened: it is given up', async () => {
    const trace: Trace = { calls: [] };
    const site = siteOf(traced(trace));
    site.connects = () => 'pending';
    const client = site.connect();
    await site.settle();
    client.reset();
    await site.settle();
    expect([site.cancelled, trace.session?.reason]).toEqual([1, 'client']);
  });

  test('a client that has said everything before there is an upstream is served', async () => {
    const site = siteOf(traced({ calls: [] }));
    const client = site.connect();
    client.duplex.end('all of it');
    await site.settle();
    const [upstream] = site.upstreams;
    expect([upstream?.text, upstream?.end]).toEqual(['all of it', 'end']);
    upstream?.duplex.end('answer');
    await site.settle();
    expect([client.text, client.end]).toEqual(['answer', 'end']);
  });

  test('by close() of a phase, in whichever phase: logging once', async () => {
    for (const phase of ['peek', 'upstreamPeer', 'failToConnect', 'connectedToUpstream'] as const) {
      const trace: Trace = { calls: [] };
      const site = siteOf(
        traced(trace, {
          [phase]: (session: StreamSession) => {
            session.close('limit');
            return phase === 'upstreamPeer' ? PEER : undefined;
          },
        }),
      );
      if (phase === 'failToConnect') site.connects = () => refused();
      const client = site.connect();
      if (phase === 'peek') client.write('x');
      await site.settle();
      expect(
        trace.calls.filter((call) => call.startsWith('logging')),
        phase,
      ).toEqual(['logging limit ok']);
      expect([client.end, site.app.stats().stream.ended.limit]).toEqual(['end', 1]);
    }
  });

  test('by close() while it copies: both sides see a reset', async () => {
    const trace: Trace = { calls: [] };
    let session: StreamSession | undefined;
    const site = siteOf(
      traced(trace, {
        connectedToUpstream: (given) => {
          session = given;
        },
      }),
    );
    const client = site.connect();
    client.write('x');
    await site.settle();
    expect(session?.signal.aborted).toBe(false);
    session?.close();
    session?.close('limit');
    await site.settle();
    expect([client.end, site.upstreams[0]?.end, trace.calls.at(-1)]).toEqual(['reset', 'reset', 'logging closed ok']);
    expect([session?.signal.aborted, session?.reason]).toEqual([true, 'closed']);
  });

  test('by the end of the service: after the time of tunnels, in whichever state', async () => {
    for (const state of ['opening', 'copying'] as const) {
      const trace: Trace = { calls: [] };
      const site = siteOf(traced(trace));
      if (state === 'opening') site.connects = () => 'pending';
      const client = site.connect();
      await site.settle();
      site.app.shutdownTunnels(client.ours);
      await site.settle();
      expect([client.end, trace.calls.at(-1)]).toEqual(['reset', 'logging shutdown ConnectionClosed']);
    }
  });

  test('by the service destroying the connection', async () => {
    for (const state of ['opening', 'copying'] as const) {
      const trace: Trace = { calls: [] };
      const site = siteOf(traced(trace));
      if (state === 'opening') site.connects = () => 'pending';
      const client = site.connect();
      await site.settle();
      client.ours.destroy();
      await site.settle();
      expect([trace.session?.reason, site.upstreams[0]?.end]).toEqual([
        'shutdown',
        state === 'opening' ? undefined : 'reset',
      ]);
    }
  });

  test('a logging phase that throws, rejects or does not settle is only logged', async () => {
    for (const logging of [
      () => {
        throw new Error('mine');
      },
      () => Promise.reject(new Error('mine')),
      () => new Promise<void>(() => {}),
    ]) {
      const site = siteOf(defineStream({ upstreamPeer: () => PEER, logging }), { hookTimeoutMs: 100 });
      const client = site.connect();
      client.reset();
      await site.advance(200);
      expect(site.logs.map(({ message }) => message)).toEqual(['logging failed']);
      expect(site.app.stats().stream.active).toBe(0);
    }
  });
});

describe('TcpConnection peek', () => {
  /** Calls of peek: what was seen, and whether that was all. */
  function peeking(
    answer: (seen: string, ended: boolean) => 'more' | undefined,
    options: StreamOptions = {},
  ): { site: MemorySite<Trace>; calls: [string, boolean][]; trace: Trace } {
    const trace: Trace = { calls: [] };
    const calls: [string, boolean][] = [];
    const site = siteOf(
      traced(trace, {
        peek: (_session, seen, ended) => {
          calls.push([seen.toString('latin1'), ended]);
          return answer(seen.toString('latin1'), ended);
        },
      }),
      options,
    );
    return { site, calls, trace };
  }

  test('sees all bytes so far until it has enough; the upstream gets them all', async () => {
    const { site, calls } = peeking((seen) => (seen.includes('\n') ? undefined : 'more'));
    const client = site.connect();
    for (const piece of ['a', 'b', 'c\nd']) {
      client.write(piece);
      await site.settle();
    }
    expect(calls).toEqual([
      ['a', false],
      ['ab', false],
      ['abc\nd', false],
    ]);
    expect(site.upstreams[0]?.text).toBe('abc\nd');
  });

  test('is told the end once when peekMaxBytes are there, and sees no more than those', async () => {
    const { site, calls } = peeking(() => 'more', { peekMaxBytes: 4 });
    const client = site.connect();
    client.write('abc');
    await site.settle();
    client.write('defgh');
    await site.settle();
    client.write('i');
    await site.settle();
    expect(calls).toEqual([
      ['abc', false],
      ['abcd', true],
    ]);
    expect(site.upstreams[0]?.text).toBe('abcdefghi');
  });

  test('is told the end after peekTimeoutMs, with nothing when the server speaks first', async () => {
    const { site, calls } = peeking(() => 'more', { peekTimeoutMs: 1_000 });
    const client = site.connect();
    await site.advance(990);
    expect([calls, site.upstreams.length]).toEqual([[], 0]);
    await site.advance(20);
    expect([calls, site.upstreams.length]).toEqual([[['', true]], 1]);
    site.upstreams[0]?.write('220 ready');
    await site.settle();
    expect(client.text).toBe('220 ready');
  });

  test('is told the end when the client has ended', async () => {
    const { site, calls } = peeking(() => 'more');
    const client = site.connect();
    client.duplex.end('ab');
    await site.settle();
    expect(calls).toEqual([
      ['ab', false],
      ['ab', true],
    ]);
    expect([site.upstreams[0]?.text, site.upstreams[0]?.end]).toEqual(['ab', 'end']);
  });

  test('waits for ever with peekTimeoutMs 0, and not for who has left', async () => {
    const { site, calls, trace } = peeking(() => 'more', { peekTimeoutMs: 0 });
    const client = site.connect();
    await site.advance(20_000);
    expect(calls).toEqual([]);
    client.reset();
    await site.settle();
    expect([calls, trace.session?.reason, site.upstreams.length, site.timers]).toEqual([[], 'client', 0, 0]);
  });
});
