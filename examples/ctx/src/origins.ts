// Two versions of one origin for the example.
import { createServer } from 'node:http';
import { closeAll, type Origin, runOrigin } from '@cirque-example/origins';

/** Addresses of the running origins, and how to stop them. */
export interface Origins {
  readonly stable: string;
  readonly beta: string;
  close(): void;
}

export async function startOrigins(): Promise<Origins> {
  const [stable, beta] = await Promise.all([startOrigin('stable'), startOrigin('beta')]);
  return {
    stable: stable.address,
    beta: beta.address,
    close: closeAll([stable, beta]),
  };
}

function startOrigin(name: string): Promise<Origin> {
  return runOrigin(createServer((_request, response) => response.end(`this is the ${name} version\n`)));
}
