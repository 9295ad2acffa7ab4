import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PROXY_HEADER_MAX_BYTES, type ProxyHeaderParse, parseProxyHeader } from './proxy-header-parser.ts';
import { encodeProxyHeader, type ProxyHeaderInit } from './proxy-header-writer.ts';

const SIGNATURE = '\r\n\r\n\0\r\nQUIT\n';

function parse(text: string): ProxyHeaderParse {
  return parseProxyHeader(Buffer.from(text, 'latin1'));
}

/** A version 2 header from its parts; the length is that of the body unless it is given. */
function v2(versionAndCommand: number, family: number, body: Buffer, length = body.length): Buffer {
  const fixed = Buffer.from([versionAndCommand, family, length >> 8, length & 0xff]);
  return Buffer.concat([Buffer.from(SIGNATURE, 'latin1'), fixed, body]);
}

const IPV4 = Buffer.from('c0000201c633640222b801bb', 'hex');
const carried = {
  source: { host: '192.0.2.1', port: 8_888 },
  destination: { host: '198.51.100.2', port: 443 },
};

describe('parseProxyHeader, version 1', () => {
  test.each([
    ['PROXY TCP4 192.0.2.1 198.51.100.2 8888 443\r\n', carried],
    [
      'PROXY TCP6 2001:DB8:0::1 ::ffff:192.0.2.1 0 65535\r\n',
      { source: { host: '2001:db8::1', port: 0 }, destination: { host: '192.0.2.1', port: 65_535 } },
    ],
    ['PROXY UNKNOWN\r\n', { source: undefined, destination: undefined }],
    ['PROXY UNKNOWN ffff::1 whatever it says\r\n', { source: undefined, destination: undefined }],
  ])('parseProxyHeader reads %j', (line, addresses) => {
    const header = { version: 1, command: 'PROXY', tlvs: [], ...addresses };
    expect(parse(line)).toEqual({ kind: 'header', header, bytes: line.length });
    expect(parse(`${line}GET / HTTP/1.1\r\n`)).toEqual({ kind: 'header', header, bytes: line.length });
  });

  test.each([
    ['PROXY TCP4 192.0.2.1 198.51.100.2 8888 443\n', 'CR LF'],
    ['PROXY tcp4 192.0.2.1 198.51.100.2 8888 443\r\n', 'TCP4, TCP6 or UNKNOWN'],
    ['PROXY UDP4 192.0.2.1 198.51.100.2 8888 443\r\n', 'TCP4, TCP6 or UNKNOWN'],
    ['PROXY \r\n', 'TCP4, TCP6 or UNKNOWN'],
    ['PROXY TCP4 192.0.2.1 198.51.100.2 8888\r\n', 'addresses'],
    ['PROXY TCP4 192.0.2.1 198.51.100.2 8888 443 1\r\n', 'addresses'],
    ['PROXY TCP4  192.0.2.1 198.51.100.2 8888 443\r\n', 'addresses'],
    ['PROXY TCP4 192.0.2.01 198.51.100.2 8888 443\r\n', 'addresses'],
    ['PROXY TCP4 2001:db8::1 2001:db8::2 8888 443\r\n', 'addresses'],
    ['PROXY TCP6 192.0.2.1 198.51.100.2 8888 443\r\n', 'addresses'],
    ['PROXY TCP6 fe80::1%eth0 fe80::2 8888 443\r\n', 'addresses'],
    ['PROXY TCP4 192.0.2.1 198.51.100.2 08888 443\r\n', 'port'],
    ['PROXY TCP4 192.0.2.1 198.51.100.2 8888 65536\r\n', 'port'],
    ['PROXY TCP4 192.0.2.1 198.51.100.2 +1 443\r\n', 'port'],
    ['PROXY TCP4 192.0.2.1 198.51.100.2 8888 443\r\r\n', 'port'],
    [`PROXY UNKNOWN ${'x'.repeat(93)}`, '107 bytes'],
  ])('parseProxyHeader refuses %j', (line, reason) => {
    expect(parse(line)).toEqual({ kind: 'invalid', reason: expect.stringContaining(reason) });
  });

  test('parseProxyHeader accepts a line of exactly 107 bytes', () => {
    const line = `PROXY UNKNOWN ${'x'.repeat(91)}\r\n`;
    expect(parse(line)).toMatchObject({ kind: 'header', bytes: 107 });
  });
});

describe('parseProxyHeader, version 2', () => {
  test.each([
    ['TCP over IPv4', 0x11],
    ['UDP over IPv4', 0x12],
    ['IPv4 without a transport', 0x10],
  ])('parseProxyHeader reads %s', (_, family) => {
    const bytes = v2(0x21, family, IPV4);
    const header = { version: 2, command: 'PROXY', ...carried, tlvs: [] };
    expect(parseProxyHeader(Buffer.concat([bytes, Buffer.from('GET')]))).toEqual({ kind: 'header', header, bytes: 28 });
  });

  test('parseProxyHeader reads IPv6 and TLVs, without the padding', () => {
    const body = Buffer.alloc(36);
    body.write('20010db8000000000000000000000001', 0, 'hex');
    body.write('00000000000000000000000000000001', 16, 'hex');
    body.writeUInt16BE(1, 32);
    body.writeUInt16BE(2, 34);
    const tlvs = Buffer.from('02000161' + '040003000000' + 'e00000', 'hex');
    expect(parseProxyHeader(v2(0x21, 0x21, Buffer.concat([body, tlvs])))).toMatchObject({
      header: {
        source: { host: '2001:db8::1', port: 1 },
        destination: { host: '::1', port: 2 },
        tlvs: [
          { type: 2, value: Buffer.from('a') },
          { type: 0xe0, value: Buffer.alloc(0) },
        ],
      },
    });
  });

  test('parseProxyHeader skips the addresses of unix sockets and of nobody, and reads the TLVs behind', () => {
    const tlv = Buffer.from('e1000178', 'hex');
    const header = { version: 2, command: 'PROXY', source: undefined, destination: undefined };
    const tlvs = [{ type: 0xe1, value: Buffer.from('x') }];
    const unix = v2(0x21, 0x31, Buffer.concat([Buffer.alloc(216), tlv]));
    expect(parseProxyHeader(unix)).toMatchObject({ kind: 'header', header: { ...header, tlvs } });
    expect(parseProxyHeader(v2(0x21, 0x00, tlv))).toMatchObject({ kind: 'header', header: { ...header, tlvs } });
  });

  test('parseProxyHeader ignores what comes with LOCAL', () => {
    expect(parseProxyHeader(v2(0x20, 0x11, Buffer.from('anything')))).toEqual({
      kind: 'header',
      header: { version: 2, command: 'LOCAL', source: undefined, destination: undefined, tlvs: [] },
      bytes: 24,
    });
  });

  test.each([
    ['version 1 in a version 2 header', v2(0x11, 0x11, IPV4), 'version or command'],
    ['an unknown command', v2(0x22, 0x11, IPV4), 'version or command'],
    ['an unknown family', v2(0x21, 0x41, IPV4), 'family'],
    ['an unknown transport', v2(0x21, 0x13, IPV4), 'family'],
    ['addresses that are cut', v2(0x21, 0x11, IPV4.subarray(1)), 'cut short'],
    ['half a TLV', v2(0x21, 0x11, Buffer.concat([IPV4, Buffer.from('0200', 'hex')])), 'TLV'],
    ['a TLV longer than the header', v2(0x21, 0x11, Buffer.concat([IPV4, Buffer.from('02000261', 'hex')])), 'TLV'],
    [
      'a checksum that is wrong',
      v2(0x21, 0x11, Buffer.concat([IPV4, Buffer.from('03000400000000', 'hex')])),
      'checksum',
    ],
    [
      'a checksum of three bytes',
      v2(0x21, 0x11, Buffer.concat([IPV4, Buffer.from('030003000000', 'hex')])),
      'checksum',
    ],
  ])('parseProxyHeader refuses %s', (_, bytes, reason) => {
    expect(parseProxyHeader(bytes)).toEqual({ kind: 'invalid', reason: expect.stringContaining(reason) });
  });

  test('parseProxyHeader refuses a header above its limit as soon as the length is known', () => {
    const most = PROXY_HEADER_MAX_BYTES - 16;
    expect(parseProxyHeader(v2(0x20, 0x00, Buffer.alloc(most)))).toMatchObject({ kind: 'header' });
    expect(parseProxyHeader(v2(0x20, 0x00, Buffer.alloc(0), most))).toEqual({ kind: 'incomplete' });
    expect(parseProxyHeader(v2(0x20, 0x00, Buffer.alloc(0), most + 1))).toMatchObject({ kind: 'invalid' });
  });
});

describe('parseProxyHeader on what arrives', () => {
  const headers = [
    Buffer.from('PROXY TCP4 192.0.2.1 198.51.100.2 8888 443\r\n'),
    encodeProxyHeader({ version: 2, ...carried, tlvs: [{ type: 3, value: Buffer.alloc(0) }] }),
  ];

  test.each(headers)('parseProxyHeader says incomplete of every beginning of a header', (header) => {
    for (let length = 0; length < header.length; length++) {
      expect(parseProxyHeader(header.subarray(0, length))).toEqual({ kind: 'incomplete' });
    }
    expect(parseProxyHeader(header).kind).toBe('header');
  });

  test.each([
    'GET / HTTP/1.1\r\n',
    'PROXIES',
    'PUT',
    '\x16\x03\x01',
    'PRI * HTTP/2.0\r\n\r\n',
    '\r\nGET /',
    '\r\n\r\n\0\r\nQUIX',
  ])('parseProxyHeader says absent of %j', (text) => {
    expect(parse(text)).toEqual({ kind: 'absent' });
  });

  test('parseProxyHeader never throws, and takes no more than the limit', () => {
    const start = fc.constantFrom(
      Buffer.alloc(0),
      Buffer.from('PROXY '),
      v2(0x21, 0x11, Buffer.alloc(0)).subarray(0, 13),
    );
    fc.assert(
      fc.property(start, fc.uint8Array({ maxLength: 300 }), (first, rest) => {
        const parsed = parseProxyHeader(Buffer.concat([first, rest]));
        if (parsed.kind === 'header') expect(parsed.bytes).toBeLessThanOrEqual(PROXY_HEADER_MAX_BYTES);
      }),
    );
  });

  test('parseProxyHeader gives values that do not change with the bytes that arrived', () => {
    const bytes = encodeProxyHeader({ version: 2, ...carried, tlvs: [{ type: 0xe0, value: Buffer.from('kept') }] });
    const parsed = parseProxyHeader(bytes);
    bytes.fill(0);
    expect(parsed).toMatchObject({ header: { tlvs: [{ value: Buffer.from('kept') }] } });
  });
});

describe('encodeProxyHeader', () => {
  test.each<[ProxyHeaderInit, string]>([
    [{ version: 1, ...carried }, 'PROXY TCP4 192.0.2.1 198.51.100.2 8888 443\r\n'],
    [{ version: 1 }, 'PROXY UNKNOWN\r\n'],
    [{ version: 1, command: 'LOCAL', ...carried }, 'PROXY UNKNOWN\r\n'],
    [
      { version: 1, source: { host: '2001:db8::1', port: 1 }, destination: { host: '::1', port: 2 } },
      'PROXY TCP6 2001:db8:0:0:0:0:0:1 0:0:0:0:0:0:0:1 1 2\r\n',
    ],
    [
      { version: 1, source: { host: '192.0.2.1', port: 1 }, destination: { host: '::1', port: 2 } },
      'PROXY TCP6 0:0:0:0:0:ffff:c000:201 0:0:0:0:0:0:0:1 1 2\r\n',
    ],
  ])('encodeProxyHeader writes %j', (header, line) => {
    expect(encodeProxyHeader(header).toString('latin1')).toBe(line);
  });

  test('encodeProxyHeader writes version 2 byte for byte', () => {
    const bytes = encodeProxyHeader({ version: 2, ...carried, tlvs: [{ type: 2, value: Buffer.from('a') }] });
    expect(bytes).toEqual(v2(0x21, 0x11, Buffer.concat([IPV4, Buffer.from('02000161', 'hex')])));
    expect(encodeProxyHeader({ version: 2, command: 'LOCAL' })).toEqual(v2(0x20, 0, Buffer.alloc(0)));
  });

  test('encodeProxyHeader computes a checksum that a reader verifies, wherever it stands', () => {
    const [other, checksum] = [
      { type: 5, value: Buffer.from('id') },
      { type: 3, value: Buffer.from('x') },
    ];
    for (const tlvs of [[checksum], [other, checksum], [checksum, other]]) {
      const bytes = encodeProxyHeader({ version: 2, ...carried, tlvs });
      expect(parseProxyHeader(bytes)).toMatchObject({ kind: 'header', header: carried });
      bytes[20] = 99;
      expect(parseProxyHeader(bytes)).toMatchObject({ kind: 'invalid' });
    }
  });

  test('encodeProxyHeader and parseProxyHeader are inverse', () => {
    const end = (host: fc.Arbitrary<string>): fc.Arbitrary<{ host: string; port: number }> =>
      fc.record({ host, port: fc.nat(65_535) });
    const init = fc.record({
      version: fc.constantFrom(1 as const, 2 as const),
      addresses: fc
        .constantFrom(fc.ipV4(), fc.ipV6())
        .chain((host) => fc.record({ source: end(host), destination: end(host) })),
    });
    fc.assert(
      fc.property(init, ({ version, addresses }) => {
        const parsed = parseProxyHeader(encodeProxyHeader({ version, ...addresses }));
        if (parsed.kind !== 'header') throw new Error(parsed.kind);
        // A mapped address comes back as the IPv4 address that it stands for.
        fc.pre(parsed.header.source?.host.includes(':') === addresses.source.host.includes(':'));
        fc.pre(parsed.header.destination?.host.includes(':') === addresses.destination.host.includes(':'));
        expect(parsed.header.source?.port).toBe(addresses.source.port);
        expect(encodeProxyHeader(parsed.header)).toEqual(encodeProxyHeader({ version, ...addresses }));
      }),
    );
  });

  test.each<[unknown, RegExp]>([
    [{ version: 3 }, /version 1 or 2, got 3/],
    [{ version: 1, source: carried.source }, /both source and destination/],
    [
      { version: 1, ...carried, source: { host: 'localhost', port: 1 } },
      /source\.host must be an IP address, got "localhost"/,
    ],
    [{ version: 2, ...carried, destination: { host: '::1', port: 65_536 } }, /destination\.port .* got 65536/],
    [{ version: 1, tlvs: [{ type: 1, value: Buffer.alloc(0) }] }, /no TLVs/],
    [{ version: 2, tlvs: [{ type: 256, value: Buffer.alloc(0) }] }, /from 0 to 255, got 256/],
    [{ version: 2, tlvs: [{ type: 1, value: Buffer.alloc(65_536) }] }, /65536 bytes/],
    [{ version: 2, tlvs: [{ type: 1, value: Buffer.alloc(65_535) }] }, /too many bytes: 65538/],
  ])('encodeProxyHeader refuses %j', (header, message) => {
    expect(() => encodeProxyHeader(header as ProxyHeaderInit)).toThrow(message);
  });
});
