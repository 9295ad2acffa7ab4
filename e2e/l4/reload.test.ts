/**
 * SIGHUP under load, again and again: routes, upstreams, listeners and certificates change, and nobody who uses what stays notices.
 */
import { connect as connectTls } from 'node:tls';
import { makeCa } from '@cirque/testing';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { httpExchange, PATIENCE_MS, tcpExchange, udpExchange } from './src/exchanges.ts';
import { freePort } from './src/free-port.ts';
import { HeldConnection } from './src/held-connection.ts';
import { Load } from './src/load.ts';
import { MortalServer } from './src/mortal-server.ts';
import { LIMITS, Site } from './src/site.ts';
import { UdpEcho } from './src/udp-echo.ts';

vi.setConfig(LIMITS);

let site: Site;

beforeEach(() => {
  site = new Site();
});
afterEach(() => site.close());

/** The serial number of the certificate that is shown to a new client. */
function serialAt(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connectTls({ port, host: '127.0.0.1', servername: 'a.test', rejectUnauthorized: false }, () => {
      resolve(socket.getPeerCertificate().serialNumber);
      socket.destroy();
    });
    socket.on('error', reject);
  });
}

describe.each([1, 2])('with %i threads', (threads) => {
  it('what stays is not disturbed by what changes', async () => {
    const [http, tcp, udp, tls, added] = await Promise.all(Array.from({ length: 5 }, freePort));
    const [web1, web2] = [await MortalServer.http(site, 'web1'), await MortalServer.http(site, 'web2')];
    const [db1, db2] = [await MortalServer.echo(site, 'db1'), await MortalServer.echo(site, 'db2')];
    const [dns1, dns2] = [await UdpEcho.start(site, 'dns1'), await UdpEcho.start(site, 'dns2')];
    const ca = makeCa('l4');
    const certify = (): void => {
      const { cert, key } = ca.issue({ names: ['a.test'] });
      site.file('a.pem', cert);
      site.file('a.key', key);
    };
    certify();
    const file = ({ web = web1, db = db1, dns = dns1, more = '', route = '/' } = {}): string => `
threads: ${threads}
listeners:
  - { address: "127.0.0.1:${http}", routes: [{ match: ${route}, proxy: web }, { proxy: web }] }
  - { address: "127.0.0.1:${tcp}", protocol: tcp, upstream: db }
  - { address: "127.0.0.1:${udp}", protocol: udp, upstream: dns, responses: 1 }
  - { address: "127.0.0.1:${tls}", tls: { cert: a.pem, key: a.key }, upstream: web }
${more}
upstreams: { web: ["${web.address}"], db: ["${db.address}"], dns: ["${dns.address}"] }
`;
    const cirque = await site.gateway(file());
    const loads = [
      new Load(site, 3, () => httpExchange(http as number)),
      new Load(site, 3, () => tcpExchange(tcp as number)),
      new Load(site, 3, () => udpExchange(udp as number)),
    ];
    const [webLoad, dbLoad, dnsLoad] = loads as [Load, Load, Load];
    const everybody = (count: number): Promise<unknown> => Promise.all(loads.map((load) => load.more(count)));
    const held = await HeldConnection.open(site, tcp as number);
    const reload = async (options: Parameters<typeof file>[0], pattern?: RegExp): Promise<void> => {
      site.configure(file(options));
      await cirque.hangUp(pattern);
      await held.works();
      await everybody(5);
    };
    await everybody(20);

    // Routes, then upstreams.
    await reload({ route: '/api' });
    await reload({ web: web2, db: db2, dns: dns2 });
    await Promise.all([webLoad.answeredBy('web2'), dbLoad.answeredBy('db2'), dnsLoad.answeredBy('dns2')]);

    // A broken file, and one whose address is taken.
    site.configure(file({ route: '/api' }).replace('proxy: web', 'proxy: wed'));
    await cirque.hangUp(
      /cirque\.yaml:7:\d+: listeners\[0\]\.routes\[0\]\.proxy \\?"wed\\?" is no upstream: did you mean web\?/,
    );
    await everybody(5);
    await reload(
      { more: `  - { address: "${web1.address}", upstream: web }` },
      /reload failed; what ran before goes on/,
    );
    expect(cirque.output).toContain(`EADDRINUSE`);
    await everybody(5);

    // A listener comes, and goes.
    const adds = `  - { address: "127.0.0.1:${added}", protocol: tcp, upstream: db }`;
    await reload({ web: web2, db: db2, dns: dns2, more: adds });
    await expect.poll(() => tcpExchange(added as number).catch(() => ''), { timeout: PATIENCE_MS }).toBe('db2');
    await reload({ web: web2, db: db2, dns: dns2 });
    await expect
      .poll(() => tcpExchange(added as number).catch(String), { timeout: PATIENCE_MS })
      .toContain('ECONNREFUSED');

    // Another certificate in the same files.
    const serial = await serialAt(tls as number);
    certify();
    await reload({ web: web2, db: db2, dns: dns2 });
    await expect.poll(() => serialAt(tls as number), { timeout: PATIENCE_MS }).not.toBe(serial);

    await reload({});
    await Promise.all([webLoad.answeredBy('web1'), dbLoad.answeredBy('db1'), dnsLoad.answeredBy('dns1')]);
    for (const load of loads) await load.stop();
    expect(loads.flatMap(({ failures }) => failures)).toEqual([]);
    expect(held).toMatchObject({ name: 'db1', isClosed: false });
    cirque.kill('SIGTERM');
    held.close();
    expect(await cirque.exit).toBe(0);
  });
});
