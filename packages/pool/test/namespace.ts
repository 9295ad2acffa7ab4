/**
 * Runs a program in a network of its own, where the settings of the kernel may be changed. Linux only, and only where
 * such namespaces are allowed.
 */
import { execFile, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** Paths below /proc/sys/net/ipv4 with the text to write there. */
export type Settings = Readonly<Record<string, string>>;

const UNSHARE = ['--map-root-user', '--net'];
const START = 'set -e; ip link set lo up; eval "$0"; exec "$@"';

const probe = spawnSync('unshare', [...UNSHARE, 'sh', '-c', START, ':', 'true'], { encoding: 'utf8' });

/** Why there are no namespaces; undefined when there are. Said aloud, so that nobody takes the tests for done. */
export const noNamespaces: string | undefined =
  probe.status === 0 ? undefined : `no network namespaces here: ${probe.error?.message ?? probe.stderr.trim()}`;
if (noNamespaces !== undefined) console.warn(`SKIPPED, ${noNamespaces}`);

/** Runs `fixtures/<program>.ts` and answers the JSON that it prints. */
export function runInNamespace<T>(program: string, library: string, settings: Settings): Promise<T> {
  const file = fileURLToPath(new URL(`fixtures/${program}.ts`, import.meta.url));
  const writes = Object.entries(settings).map(([name, value]) => `echo '${value}' > /proc/sys/net/ipv4/${name}`);
  const node = [process.execPath, '--conditions=@cirque/source', '--disable-warning=ExperimentalWarning', file];
  const env = { ...process.env, CIRQUE_FFI: library };
  const options = { env, timeout: 15_000, killSignal: 'SIGKILL' } as const;
  return new Promise((resolve, reject) => {
    const args = [...UNSHARE, 'sh', '-c', START, [':', ...writes].join('; '), ...node];
    execFile('unshare', args, options, (error, stdout, stderr) => {
      if (error === null) resolve(JSON.parse(stdout) as T);
      else reject(new Error(`${program} failed: ${stderr}`, { cause: error }));
    });
  });
}
