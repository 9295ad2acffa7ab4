// The options of upgrade-under-load.
import { parseArgs } from 'node:util';

export interface Plan {
  readonly requests: number;
  readonly upgrades: number;
  /** Requests per second. */
  readonly rate: number;
  readonly failFirst: boolean;
  /** How many threads the first process has, the second one and so on. */
  threadsOf(generation: number): number;
}

const HELP = `usage: npm run example -- graceful-upgrade/upgrade-under-load [options]
  --requests N      requests at least, beside messages and datagrams (30000)
  --upgrades N      upgrades in a row, evenly among the requests (2)
  --threads LIST    threads of the first process, the second one and so on, again from the start of the list (1,2)
  --rate N          requests per second, about (1000)
  --fail-first      before the first upgrade comes one whose new process is killed before it is ready
  --no-native       without native calls (CIRQUE_FFI=off): the old process starts the new one
  --help            print this text and exit
Ends with 1 when anything has failed.
`;

/** Reads them; help and mistakes end the process. */
export function readPlan(): Plan {
  try {
    return plan();
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\nTry --help for the list of options.\n`);
    process.exit(2);
  }
}

function plan(): Plan {
  const { values } = parseArgs({
    options: {
      requests: { type: 'string', default: '30000' },
      upgrades: { type: 'string', default: '2' },
      threads: { type: 'string', default: '1,2' },
      rate: { type: 'string', default: '1000' },
      'fail-first': { type: 'boolean', default: false },
      'no-native': { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    process.exit(0);
  }
  if (values['no-native']) process.env.CIRQUE_FFI = 'off';
  const threads = values.threads.split(',').map((text) => wholeNumber('threads', text));
  return {
    requests: wholeNumber('requests', values.requests),
    upgrades: wholeNumber('upgrades', values.upgrades),
    rate: wholeNumber('rate', values.rate),
    failFirst: values['fail-first'],
    threadsOf: (generation) => threads[generation % threads.length] as number,
  };
}

function wholeNumber(name: string, text: string): number {
  const number = Number(text);
  if (Number.isInteger(number) && number > 0) return number;
  throw new RangeError(`--${name}: must be a whole number above 0, got ${JSON.stringify(text)}`);
}
