/**
 * A whole configuration file: the settings of the server, listeners, upstreams, the control address.
 */
import { UNSUPPORTED_KEYS } from '@cirque/core';
import { z } from 'zod';
import type { GatewayConfig, UpstreamConfig } from '../config/gateway-config.ts';
import { controlAddress } from './address-values.ts';
import { coreShape, serverFrom } from './core-keys.ts';
import { listener } from './listener-schema.ts';
import { mapOf } from './lists.ts';
import { plainName } from './name-values.ts';
import { optional, required, setting, settings } from './settings.ts';
import { type UnnamedUpstream, upstream } from './upstream-schema.ts';

const document = settings(
  {
    listeners: required(z.array(listener).min(1), 'Where the gateway listens.'),
    upstreams: setting(mapOf(plainName, upstream), 'Groups of servers, by name.', {}),
    control: optional(
      controlAddress,
      'Where statistics and commands are answered, to this machine only: `unix:/path` or `127.0.0.1:port`. Default: nowhere.',
    ),
    ...coreShape,
  },
  {
    what: 'the file',
    ignore: /^x-/,
    refused: {
      ...UNSUPPORTED_KEYS,
      routes: 'it belongs into a listener',
      address: 'it belongs into a list: listeners: [{ address: ... }]',
      tls: 'it belongs into a listener, or into an upstream',
      http: 'there is no such level; write listeners and upstreams at the top',
    },
    synonyms: {
      servers: 'listeners',
      server: 'listeners',
      listen: 'listeners',
      frontends: 'listeners',
      backends: 'upstreams',
      clusters: 'upstreams',
      pools: 'upstreams',
      workers: 'threads',
      worker_processes: 'threads',
      pid: 'pid_file',
      admin: 'control',
    },
  },
);

/** The schema of a file. Its output is complete but for relative paths. */
export const gatewaySchema: z.ZodType<GatewayConfig> = document.transform((given) => {
  const { listeners, upstreams, control, ...rest } = given;
  return { server: serverFrom(rest), control, listeners, upstreams: named(upstreams) };
});

function named(upstreams: Readonly<Record<string, UnnamedUpstream>>): Record<string, UpstreamConfig> {
  return Object.fromEntries(Object.entries(upstreams).map(([name, one]) => [name, { name, ...one }]));
}
