/**
 * The scenes of the soak, in the order in which they are played. A new one is a new entry.
 */
import type { Scene } from '../scene.ts';
import { ACCEPT_LIMIT, CLIENT_LIMIT } from './accept-limit.ts';
import { FLAPPING, MUTE } from './backends.ts';
import { CAPS } from './caps.ts';
import { NO_DESCRIPTORS } from './descriptors.ts';
import { HANDSHAKES } from './handshakes.ts';
import { IDLE, IDLE_TLS } from './idle.ts';
import { REQUESTS } from './requests.ts';
import { SLOW_READERS } from './slow-readers.ts';
import { SLOW_BODIES, SLOW_HEADS } from './slow-requests.ts';

export const SCENES: readonly Scene[] = [
  IDLE,
  IDLE_TLS,
  SLOW_HEADS,
  SLOW_BODIES,
  SLOW_READERS,
  ACCEPT_LIMIT,
  CLIENT_LIMIT,
  NO_DESCRIPTORS,
  FLAPPING,
  MUTE,
  HANDSHAKES,
  CAPS,
  REQUESTS,
];
