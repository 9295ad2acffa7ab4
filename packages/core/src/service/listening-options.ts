/**
 * Takes what concerns the listening service out of the larger options of those who make one (`httpService`, proxies).
 */
import { connectionLimitsOf } from '../listeners/connection-limit-options.ts';
import type { ListeningServiceOptions } from './listening-service.ts';

/** Options as they are after destructuring: undefined where they were not given. */
export type GivenListeningOptions = {
  readonly [Name in keyof ListeningServiceOptions]?: ListeningServiceOptions[Name] | undefined;
};

/** Only the options of a {@link ListeningServiceOptions}, without what is undefined. */
export function listeningOptionsOf(options: GivenListeningOptions): ListeningServiceOptions {
  const { threads } = options;
  return { ...connectionLimitsOf(options), ...(threads === undefined ? {} : { threads }) };
}
