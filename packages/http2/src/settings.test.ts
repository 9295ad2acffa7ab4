import { expect, test } from 'vitest';
import { INITIAL_SETTINGS, readSettings, settingsPairs } from './settings.ts';

function payload(...pairs: number[]): Buffer {
  const bytes = Buffer.alloc(pairs.length * 3);
  for (let at = 0; at < pairs.length; at += 2) {
    bytes.writeUInt16BE(pairs[at] as number, at * 3);
    bytes.writeUInt32BE(pairs[at + 1] as number, at * 3 + 2);
  }
  return bytes;
}

const read = (...pairs: number[]): ReturnType<typeof readSettings> => {
  const bytes = payload(0, 0, ...pairs);
  return readSettings(INITIAL_SETTINGS, bytes, 6, bytes.length, false);
};

test('settingsPairs says what differs, in the order of their numbers', () => {
  const after = { ...INITIAL_SETTINGS, enableConnectProtocol: true, enablePush: false, maxFrameSize: 20_000 };
  expect(settingsPairs(INITIAL_SETTINGS, after)).toEqual([2, 0, 5, 20_000, 8, 1]);
  expect(settingsPairs({ ...INITIAL_SETTINGS, maxConcurrentStreams: 5 }, INITIAL_SETTINGS)).toEqual([3, 0xffff_ffff]);
});

test('readSettings reads what settingsPairs says', () => {
  const after = {
    headerTableSize: 0,
    enablePush: false,
    maxConcurrentStreams: 1,
    initialWindowSize: 2,
    maxFrameSize: 16_777_215,
    maxHeaderListSize: 3,
    enableConnectProtocol: true,
  };
  expect(read(...settingsPairs(INITIAL_SETTINGS, after))).toEqual(after);
});

test('readSettings takes the last of several and ignores unknown ones', () => {
  expect(read(3, 1, 0x7777, 9, 3, 2)).toEqual({ ...INITIAL_SETTINGS, maxConcurrentStreams: 2 });
  expect(read()).toEqual(INITIAL_SETTINGS);
});

test('readSettings refuses what RFC 9113 refuses, with its code', () => {
  expect(read(3, 1, 4, 0x8000_0000)).toEqual({
    code: 3,
    message: 'the setting initialWindowSize cannot be 2147483648',
  });
  expect(read(5, 0)).toMatchObject({ code: 1 });
  expect(read(8, 1, 8, 0)).toMatchObject({ code: 1, message: 'the setting enableConnectProtocol cannot be 0' });
});
