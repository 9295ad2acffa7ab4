/**
 * Programs of the system that some tests compare with (nginx, curl, a browser).
 * `requireTool` finds one, installs it from Debian only when run as root with `CI` set, and otherwise says why the
 * caller has to skip. Nothing else in the workspace calls a package manager of the system.
 */
import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** A tool that can be used, or the reason why it cannot. */
export type SystemTool =
  | { readonly path: string; readonly reason?: undefined }
  | { readonly path?: undefined; readonly reason: string };

/** Debian package of each tool that a test may ask for. */
const packages: Readonly<Record<string, string>> = {
  chromium: 'chromium',
  curl: 'curl',
  dig: 'bind9-dnsutils',
  dnsmasq: 'dnsmasq-base',
  h2load: 'nghttp2-client',
  haproxy: 'haproxy',
  logrotate: 'logrotate',
  nghttp: 'nghttp2-client',
  nginx: 'nginx',
  openssl: 'openssl',
  // With the server, whose programs are not in the path.
  psql: 'postgresql',
  'redis-benchmark': 'redis-tools',
  'redis-cli': 'redis-tools',
  'redis-server': 'redis-server',
  'systemd-analyze': 'systemd',
  wrk: 'wrk',
};

const installTimeoutMs = 300_000;

/**
 * One installer at a time (flock); the package lists are fetched only when the install fails without it, and at most
 * once an hour, so once per run. A service that a package brings is not started (policy-rc.d).
 */
const installScript = `
set -eu
stamp="\${TMPDIR:-/tmp}/cirque-apt-updated"
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  printf '#!/bin/sh\\nexit 101\\n' > "$policy"; chmod +x "$policy"
  trap 'rm -f "$policy"' EXIT
fi
install() { apt-get -o DPkg::Lock::Timeout=120 install -y --no-install-recommends "$1"; }
install "$1" && exit 0
[ -n "$(find "$stamp" -mmin -60 2>/dev/null)" ] && exit 1
apt-get -o DPkg::Lock::Timeout=120 update && touch "$stamp" && install "$1"
`;

const answers = new Map<string, SystemTool>();

function find(tool: string): string | undefined {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/local/sbin', '/usr/sbin', '/sbin'];
  for (const folder of folders) {
    const path = join(folder, tool);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // not in this folder
    }
  }
  return undefined;
}

function whyNotInstall(tool: string): string | undefined {
  if (process.platform !== 'linux' || find('apt-get') === undefined) return 'there is no apt-get here to install it';
  if (packages[tool] === undefined) return 'no Debian package is known for it';
  if (!process.env.CI) return 'it is installed only where CI is set';
  if (process.getuid?.() !== 0) return 'it is installed only as root';
  return undefined;
}

function install(tool: string): string | undefined {
  const lock = join(process.env.TMPDIR ?? '/tmp', 'cirque-apt.lock');
  const args = ['-w', '240', lock, 'sh', '-c', installScript, 'sh', packages[tool] ?? tool];
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const result = spawnSync('flock', args, { env, encoding: 'utf8', timeout: installTimeoutMs, killSignal: 'SIGKILL' });
  if (result.error) return `apt-get did not finish: ${result.error.message}`;
  if (result.status !== 0)
    return `apt-get failed: ${result.stderr.trim().split('\n').at(-1) || `exit code ${result.status}`}`;
  return undefined;
}

function provide(tool: string): SystemTool {
  const present = find(tool);
  if (present !== undefined) return { path: present };
  const refusal = whyNotInstall(tool) ?? install(tool);
  const path = find(tool);
  if (path !== undefined) return { path };
  const reason = `${tool} is not installed: ${refusal ?? 'its package brought no such program'}`;
  process.stderr.write(`SKIPPED: ${reason}\n`);
  return { reason };
}

/**
 * Finds a program of the system, at module level of a test file:
 *
 * ```ts
 * const nginx = requireTool('nginx');
 * describe.skipIf(nginx.path === undefined)(`nginx (${nginx.reason ?? 'present'})`, () => { ... });
 * ```
 *
 * Answers synchronously and remembers the answer. As root with `CI` set a missing program is installed (this can take
 * minutes, at most five); elsewhere the reason is printed once on standard error and returned. Never throws.
 */
export function requireTool(tool: string): SystemTool {
  const known = answers.get(tool);
  if (known !== undefined) return known;
  const answer = provide(tool);
  answers.set(tool, answer);
  return answer;
}
