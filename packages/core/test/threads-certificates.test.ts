/**
 * Certificates of a service that several threads run: read once, by the main thread.
 */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ask, certificateOf, type Place, type ThreadedProcess, ThreadsSite, until } from './threads-site.ts';

let site: ThreadsSite;
beforeEach(() => {
  site = new ThreadsSite();
});
afterEach(() => site.close());

/** The names that twenty connections see. */
async function names(place: Place): Promise<string[]> {
  return [...new Set(await Promise.all(Array.from({ length: 20 }, () => certificateOf(place))))];
}

async function reload(child: ThreadedProcess, message: string): Promise<void> {
  const before = child.logged(message).length;
  child.kill('SIGHUP');
  await until(message, () => child.logged(message).length > before);
}

describe('certificates in threads', { timeout: 40_000 }, () => {
  test('all threads have new ones by the time the log says so', async () => {
    const child = site.start({ threads: 2 }, ['--tls', site.certificate('first')]);
    const [, place = ''] = await child.running();
    expect(await names(place)).toEqual(['first']);
    site.certificate('second');
    await reload(child, 'certificates read again');
    expect(await names(place)).toEqual(['second']);
  });

  test('a thread that begins later has those of the others, whatever became of the files', async () => {
    const child = site.start({ threads: 2 }, ['--tls', site.certificate('first')]);
    const [plain = '', place = ''] = await child.running();
    site.certificate('second');
    expect(await child.obey('restart')).toEqual({ restarted: true });
    expect(await names(place)).toEqual(['first']);
    await reload(child, 'certificates read again');
    site.spoilCertificate();
    await reload(child, 'certificates could not be read; the old ones stay');
    const begun = child.logged('listening').length;
    await ask(plain, '/throw');
    await until('a thread in the place of the dead one', () => child.logged('listening').length > begun);
    expect(await names(place)).toEqual(['second']);
  });
});
