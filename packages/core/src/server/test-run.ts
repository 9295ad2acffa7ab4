/**
 * The work of `--test`: tries every address of every service and says what came of it. Nothing is served.
 *
 * An address in use passes, because the usual place for this check is beside the live server.
 */
import type { Logger } from '../logger.ts';
import type { EndpointCheck, Service, ServiceContext } from '../service/service.ts';
import type { ServerConfiguration } from './server-conf.ts';

/** What the check works on. */
export interface TestRunParts {
  readonly services: readonly Service[];
  readonly configuration: ServerConfiguration;
  readonly logger: Logger;
}

/** Tries everything, also after the first failure. The result lists what failed; empty means that all is well. */
export async function testRun({ services, configuration, logger }: TestRunParts): Promise<readonly string[]> {
  const failures: string[] = [];
  for (const service of services) {
    for (const check of await checkService(service, { configuration, logger })) {
      const { endpoint, outcome, reason } = check;
      if (outcome === 'failed') failures.push(`service ${service.name}: ${reason ?? endpoint}`);
      else if (outcome === 'in use')
        logger.info({ service: service.name, endpoint }, 'in use, as it is beside a live server');
      else logger.info({ service: service.name, endpoint }, 'address can be used');
    }
  }
  return failures;
}

async function checkService(
  service: Service,
  context: Pick<ServiceContext, 'logger' | 'configuration'>,
): Promise<readonly EndpointCheck[]> {
  try {
    return (await service.check?.(context)) ?? [];
  } catch (error) {
    return [{ endpoint: '', outcome: 'failed', reason: error instanceof Error ? error.message : String(error) }];
  }
}
