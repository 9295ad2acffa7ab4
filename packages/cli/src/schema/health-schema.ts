/**
 * How servers are found to be out of order: by checks, and by how they do in use.
 */
import { z } from 'zod';
import type { HealthConfig, PassiveHealthConfig } from '../config/gateway-config.ts';
import { anyText, choice, flag, integer, on, text } from './basic-values.ts';
import { path, statusRanges } from './http-values.ts';
import { leaf, Refused } from './leaf.ts';
import { hostName } from './name-values.ts';
import { positiveDuration, share } from './quantities.ts';
import { exactlyOne, optional, type Rule, setting, settings } from './settings.ts';

/** A check, before it is known whether the servers speak TLS. */
export type HealthSettings = (servers: { readonly tls: boolean }) => HealthConfig;

const BASE = { intervalMs: 5_000, timeoutMs: 2_000, unhealthyAfter: 3, healthyAfter: 2 } as const;
const OK: readonly (readonly [number, number])[] = [[200, 299]];

const grpcService = text(
  'service',
  'the name of a gRPC service such as my.Service, or an empty text for the server as a whole',
  /^[A-Za-z0-9_./-]{0,256}$/,
);

const noSettings = settings({}, { what: 'a tcp check' });
const tlsSettings = settings(
  {
    sni: optional(hostName, 'The name to send and to verify. Default: that of the server.'),
    verify: setting(flag, 'Whether the certificate must be trusted, valid and of that name.', true),
  },
  { what: 'a tls check' },
);
const checkSettings = settings(
  {
    tcp: optional(z.union([on, noSettings]), 'Connects: `true`, or `{}`.'),
    tls: optional(
      z.union([on.transform(() => ({ sni: undefined, verify: true })), tlsSettings]),
      'Connects and shakes hands: `true`, or settings.',
    ),
    http: optional(z.union([on.transform(() => '/'), path]), 'Asks for this path; `true`: for /.'),
    grpc: optional(
      z.union([on.transform(() => ''), grpcService]),
      'Asks grpc.health.v1.Health about this service; `true`: about the server.',
    ),
    interval: setting(positiveDuration, 'From one check to the next.', '5s'),
    timeout: setting(positiveDuration, 'Time for one check.', '2s'),
    unhealthy_after: setting(integer(1, 1_000), 'Failures in a row until a server is unhealthy.', BASE.unhealthyAfter),
    healthy_after: setting(integer(1, 1_000), 'Successes in a row until it is healthy again.', BASE.healthyAfter),
    method: optional(choice(['GET', 'HEAD']), 'With http: the method. Default: GET.'),
    host: optional(
      text('host', 'a host, with or without port', /^[A-Za-z0-9_[][A-Za-z0-9._:\]-]*$/),
      'With http: the Host to send. Default: the address of the server.',
    ),
    status: optional(
      z.union([
        statusRanges,
        z
          .array(statusRanges)
          .min(1)
          .transform((all) => all.flat()),
      ]),
      'With http: the statuses that are good: `200`, `200-299`, or a list. Default: 200-299.',
    ),
    body: optional(anyText, 'With http: a text that the body must hold.'),
  },
  {
    what: 'a health check',
    rules: [exactlyOne(['tcp', 'tls', 'http', 'grpc'], 'a kind of check'), httpOnly],
    synonyms: {
      path: 'http',
      uri: 'http',
      rise: 'healthy_after',
      passes: 'healthy_after',
      fall: 'unhealthy_after',
      fails: 'unhealthy_after',
      inter: 'interval',
      expect: 'status',
      match: 'body',
      service: 'grpc',
    },
  },
).transform(
  (given): HealthSettings =>
    ({ tls }) => {
      const base = {
        intervalMs: given.interval,
        timeoutMs: given.timeout,
        unhealthyAfter: given.unhealthy_after,
        healthyAfter: given.healthy_after,
      };
      if (given.tls !== undefined) return { ...base, kind: 'tls', sni: given.tls.sni, verify: given.tls.verify };
      if (given.grpc !== undefined) return { ...base, kind: 'grpc', service: given.grpc, tls };
      if (given.http === undefined) return { ...base, kind: 'tcp' };
      const { http, host, method = 'GET', status = OK, body } = given;
      return { ...base, kind: 'http', path: http, host, method, statuses: status, body, tls };
    },
);

/** A check: `tcp`, `tls`, `grpc`, a path for HTTP, or settings. */
export const health: z.ZodType<HealthSettings> = z.union([
  leaf(
    {
      title: 'tcp, tls, grpc, path',
      expects: 'tcp, tls, grpc, or the path of a HTTP check',
      types: ['string'],
      json: { anyOf: [{ enum: ['tcp', 'tls', 'grpc'] }, { type: 'string', pattern: '^/' }] },
    },
    (given) => shortForm(given),
  ),
  checkSettings,
]);

const PASSIVE: PassiveHealthConfig = {
  consecutiveFailures: 5,
  errorRate: 0,
  minimumVolume: 20,
  intervalMs: 10_000,
  baseEjectionMs: 30_000,
  maxEjectionMs: 300_000,
  maxEjectedShare: 0.1,
};

/** Servers that fail in use are left out for a while: `true`, or settings. */
export const passiveHealth: z.ZodType<PassiveHealthConfig | undefined> = z.union([
  flag.transform((wanted) => (wanted ? PASSIVE : undefined)),
  settings(
    {
      consecutive_failures: setting(
        integer(0, 1_000_000),
        'Failures in a row after which a server is left out; 0: they do not count.',
        PASSIVE.consecutiveFailures,
      ),
      error_rate: setting(
        share,
        'Share of failures in an interval after which it is left out; 0: off.',
        PASSIVE.errorRate,
      ),
      minimum_volume: setting(
        integer(1, 1_000_000_000),
        'Uses in an interval below which the rate says nothing.',
        PASSIVE.minimumVolume,
      ),
      interval: setting(positiveDuration, 'The interval over which rates are counted.', '10s'),
      base_ejection: setting(positiveDuration, 'How long it is left out, times the number of times in a row.', '30s'),
      max_ejection: setting(positiveDuration, 'The longest time.', '5m'),
      max_ejected_share: setting(share, 'Share of the servers that may be left out at a time; one always may.', '10%'),
    },
    {
      what: 'passive health',
      rules: [ejectionTimes],
      synonyms: {
        max_fails: 'consecutive_failures',
        fail_timeout: 'base_ejection',
        max_ejection_percent: 'max_ejected_share',
      },
    },
  ).transform(
    (given): PassiveHealthConfig => ({
      consecutiveFailures: given.consecutive_failures,
      errorRate: given.error_rate,
      minimumVolume: given.minimum_volume,
      intervalMs: given.interval,
      baseEjectionMs: given.base_ejection,
      maxEjectionMs: given.max_ejection,
      maxEjectedShare: given.max_ejected_share,
    }),
  ),
]);

function shortForm(given: string): HealthSettings | Refused {
  if (given === 'tcp') return () => ({ ...BASE, kind: 'tcp' });
  if (given === 'tls') return () => ({ ...BASE, kind: 'tls', sni: undefined, verify: true });
  if (given === 'grpc') return ({ tls }) => ({ ...BASE, kind: 'grpc', service: '', tls });
  if (given === 'http') return new Refused('write the path: health: /healthz');
  if (!path.safeParse(given).success) return new Refused();
  const rest = { host: undefined, method: 'GET', statuses: OK, body: undefined } as const;
  return ({ tls }) => ({ ...BASE, kind: 'http', path: given, ...rest, tls });
}

function httpOnly(given: Readonly<Record<string, unknown>>, refuse: Parameters<Rule>[1]): void {
  if (given.method === 'HEAD' && given.body !== undefined) refuse(['body'], 'cannot be looked at with method HEAD');
  if (given.http !== undefined) return;
  for (const key of ['method', 'host', 'status', 'body'])
    if (given[key] !== undefined) refuse([key], 'is for checks by http only', { key: true });
}

function ejectionTimes(given: Readonly<Record<string, unknown>>, refuse: Parameters<Rule>[1]): void {
  const { base_ejection: base, max_ejection: most } = given;
  if (typeof base === 'number' && typeof most === 'number' && most < base)
    refuse(['max_ejection'], 'must be at least base_ejection');
}
