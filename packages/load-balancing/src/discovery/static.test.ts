import { describe, expect, it } from 'vitest';
import { Backend } from '../backend.ts';
import { StaticDiscovery } from './static.ts';

const addresses = async (discovery: StaticDiscovery): Promise<string[]> =>
  Array.from((await discovery.discover()).backends, (backend) => backend.address);

describe('StaticDiscovery', () => {
  it('StaticDiscovery gives the list as it is when there are no names', async () => {
    const lookup = (): Promise<never> => Promise.reject(new Error('must not be asked'));
    const discovery = new StaticDiscovery(['1.1.1.1:80', '[::1]:80', 'unix:/run/x.sock'], { lookup });
    expect(await addresses(discovery)).toEqual(['1.1.1.1:80', '[::1]:80', 'unix:/run/x.sock']);
  });

  it('StaticDiscovery replaces a name by all of its addresses, once', async () => {
    const asked: string[] = [];
    const lookup = async (name: string): Promise<string[]> => {
      asked.push(name);
      return ['10.0.0.1', '2001:db8::1'];
    };
    const named = Backend.parse('origin:8080', { weight: 3, ext: new Map([['zone', 'a']]) });
    const discovery = new StaticDiscovery(['1.1.1.1:80', named], { lookup });
    expect(await addresses(discovery)).toEqual(['1.1.1.1:80', '10.0.0.1:8080', '[2001:db8::1]:8080']);
    expect(await addresses(discovery)).toHaveLength(3);
    expect(asked).toEqual(['origin']);
    expect(discovery.backends[2]).toMatchObject({ weight: 3, ext: new Map([['zone', 'a']]) });
  });

  it('StaticDiscovery rejects when a name cannot be resolved, and tries again', async () => {
    let isUp = false;
    const lookup = async (): Promise<string[]> => {
      if (!isUp) throw new Error('ENOTFOUND');
      return ['10.0.0.1'];
    };
    const discovery = new StaticDiscovery(['origin:80'], { lookup });
    await expect(discovery.discover()).rejects.toThrow(/cannot resolve origin/);
    isUp = true;
    expect(await addresses(discovery)).toEqual(['10.0.0.1:80']);
  });

  it('StaticDiscovery leaves names alone when it is told to', async () => {
    expect(await addresses(new StaticDiscovery(['origin:80'], { resolve: 'never' }))).toEqual(['origin:80']);
    // @ts-expect-error no such word
    expect(() => new StaticDiscovery([], { resolve: 'always' })).toThrow(
      /resolve must be 'once' or 'never', got always/,
    );
  });

  it('StaticDiscovery asks the system by default', async () => {
    const found = await addresses(new StaticDiscovery(['localhost:80']));
    expect(found.length).toBeGreaterThan(0);
    for (const address of found) expect(['127.0.0.1:80', '[::1]:80']).toContain(address);
  });

  it('StaticDiscovery refuses bad addresses at once', () => {
    expect(() => new StaticDiscovery(['a:1', ':1'])).toThrow(/addresses\[1\]/);
  });
});
